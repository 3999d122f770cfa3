import { type LogRotation, RamekinError } from "@ramekin/core";

/** `max-size` (bytes, or with k, m, g for thousands, millions, milliards, as Docker counts) and `max-file`. Docker's default: no rotation. */
export function rotation(options: Readonly<Record<string, string>>): LogRotation {
  const { "max-size": size, "max-file": files, ...unknown } = options;
  const stranger = Object.keys(unknown)[0];
  if (stranger !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `json-file: unknown log option ${stranger}`, { hint: "max-size and max-file are known" });
  const maxFiles = files === undefined ? undefined : parseCount(files);
  if (size === undefined || size === "-1") {
    if (maxFiles !== undefined && maxFiles > 1)
      throw new RamekinError("INVALID_ARGUMENT", "json-file: max-file without max-size: nothing would ever be rotated", {
        hint: "add max-size=10m",
      });
    return {};
  }
  return { maxBytes: parseSize(size), ...(maxFiles !== undefined && { maxFiles }) };
}

const scale = { "": 1, b: 1, k: 1e3, m: 1e6, g: 1e9 } as const;

function parseSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([bkmg]?)b?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * scale[(match[2] ?? "").toLowerCase() as keyof typeof scale]) : 0;
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new RamekinError("INVALID_ARGUMENT", `json-file: bad max-size ${JSON.stringify(text)}`, {
    hint: "a number of bytes, or with k, m or g: 10m",
  });
}

function parseCount(text: string): number {
  const count = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw new RamekinError("INVALID_ARGUMENT", `json-file: bad max-file ${JSON.stringify(text)}`, { hint: "a number of files, 1 or more" });
}
