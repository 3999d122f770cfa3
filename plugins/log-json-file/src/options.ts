import { type LogRotation, Objections, RamekinError } from "@ramekin/core";

const known = "max-size, max-file and compress are known, and for all drivers mode, max-buffer-size, labels, env and tag";

/**
 * `max-size` (bytes, or with k, m, g for thousands, millions, milliards, as Docker counts), `max-file` and `compress`. Without
 * `max-size`: no rotation.
 */
export function rotation(driver: string, options: Readonly<Record<string, string>>): LogRotation {
  const objections = new Objections();
  const { "max-size": size, "max-file": files, compress: packed, ...unknown } = options;
  for (const name of Object.keys(unknown)) objections.add("INVALID_ARGUMENT", `${driver}: unknown log option ${name}`, known);
  const compress = packed !== undefined && objections.hear(() => parseSwitch(driver, packed));
  const maxFiles = files === undefined ? undefined : objections.hear(() => parseCount(driver, files));
  const maxBytes = size === undefined || size === "-1" ? undefined : objections.hear(() => parseSize(driver, size));
  const endless = size === undefined || size === "-1";
  if (endless && maxFiles !== undefined && maxFiles > 1)
    objections.add("INVALID_ARGUMENT", `${driver}: max-file without max-size: nothing would ever be rotated`, "add max-size=10m");
  if (compress && (endless || files === undefined || maxFiles === 1))
    objections.add(
      "INVALID_ARGUMENT",
      `${driver}: compress without max-size and a max-file of 2 or more: rotation would leave nothing to compress`,
      "add max-size=10m and max-file=3",
    );
  objections.raise();
  if (maxBytes === undefined) return {};
  return { maxBytes, ...(maxFiles !== undefined && { maxFiles }), ...(compress && { compress }) };
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

/** As Go's ParseBool reads it. */
function parseSwitch(driver: string, text: string): boolean {
  if (/^(1|t|true|T|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|false|F|FALSE|False)$/.test(text)) return false;
  throw new RamekinError("INVALID_ARGUMENT", `${driver}: bad compress ${JSON.stringify(text)}`, { hint: "true or false" });
}
