const units = ["", "k", "m", "g", "t", "p"];

/** `64m`, `1.5GiB`, `512`: powers of 1024, whatever the spelling, as Docker reads memory. Undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** units.indexOf((match[2] ?? "").toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
