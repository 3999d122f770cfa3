import { isObject } from "@ramekin/oci";
import type { GcPolicy } from "./store-api.ts";

const units = ["", "k", "m", "g", "t", "p"];
const milliseconds: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `[gc]` of config.toml, or why it is none. */
export function readPolicy(section: unknown): GcPolicy | string {
  if (!isObject(section)) return "gc is not a table";
  const policy: Record<string, number> = {};
  for (const [key, value] of Object.entries(section)) {
    const known = fields[key];
    if (!known) return `gc.${key} is not known, but ${Object.keys(fields).join(", ")} are`;
    const read = known.read(value);
    if (read === undefined) return `gc.${key} is not ${known.example}`;
    policy[known.name] = read;
  }
  return policy;
}

interface Field {
  readonly name: keyof GcPolicy;
  readonly example: string;
  read(value: unknown): number | undefined;
}

const size = (name: keyof GcPolicy): Field => ({ name, example: 'a size such as "20GB"', read: bytes });

const fields: Readonly<Record<string, Field>> = {
  "max-used": size("maxUsed"),
  "min-free": size("minFree"),
  reserved: size("reserved"),
  "max-age": { name: "maxAge", example: 'a duration such as "720h"', read: duration },
  "keep-last": { name: "keepLast", example: "a number of images", read: count },
};

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Powers of 1024, whatever the spelling, as Docker reads them. */
function bytes(value: unknown): number | undefined {
  if (typeof value !== "string") return count(value);
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(value.trim());
  return match ? count(Math.floor(Number(match[1]) * 1024 ** units.indexOf((match[2] as string).toLowerCase()))) : undefined;
}

function duration(value: unknown): number | undefined {
  if (typeof value !== "string" || !/^(?:\d+[smhd])+$/.test(value)) return undefined;
  return [...value.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (milliseconds[unit as string] as number),
    0,
  );
}
