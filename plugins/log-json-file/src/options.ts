import { type LogRotation, Objections, RamekinError } from "@ramekin/core";

/** `max-size` (bytes, or with k, m, g for thousands, millions, milliards, as Docker counts) and `max-file`. Without `max-size`: no rotation. */
export function rotation(driver: string, options: Readonly<Record<string, string>>): LogRotation {
  const objections = new Objections();
  const { "max-size": size, "max-file": files, compress, mode, ...unknown } = options;
  for (const name of Object.keys(unknown))
    objections.add("INVALID_ARGUMENT", `${driver}: unknown log option ${name}`, "max-size, max-file, compress and mode are known");
  if (compress !== undefined && compress !== "false")
    objections.add(
      "UNSUPPORTED",
      `${driver}: compress=${compress}: what rotation leaves is not compressed here`,
      "leave it out, or say compress=false",
    );
  if (mode !== undefined && mode !== "blocking")
    objections.add(
      "UNSUPPORTED",
      `${driver}: mode=${mode}: writing to a file does not wait for anybody`,
      "leave it out, or say mode=blocking",
    );
  const maxFiles = files === undefined ? undefined : objections.hear(() => parseCount(driver, files));
  const maxBytes = size === undefined || size === "-1" ? undefined : objections.hear(() => parseSize(driver, size));
  if ((size === undefined || size === "-1") && maxFiles !== undefined && maxFiles > 1)
    objections.add("INVALID_ARGUMENT", `${driver}: max-file without max-size: nothing would ever be rotated`, "add max-size=10m");
  objections.raise();
  return maxBytes === undefined ? {} : { maxBytes, ...(maxFiles !== undefined && { maxFiles }) };
}

const scale = { "": 1, b: 1, k: 1e3, m: 1e6, g: 1e9 } as const;

function parseSize(driver: string, text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([bkmg]?)b?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * scale[(match[2] ?? "").toLowerCase() as keyof typeof scale]) : 0;
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new RamekinError("INVALID_ARGUMENT", `${driver}: bad max-size ${JSON.stringify(text)}`, {
    hint: "a number of bytes, or with k, m or g: 10m",
  });
}

function parseCount(driver: string, text: string): number {
  const count = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw new RamekinError("INVALID_ARGUMENT", `${driver}: bad max-file ${JSON.stringify(text)}`, { hint: "a number of files, 1 or more" });
}
