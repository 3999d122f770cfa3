const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** As BuildKit's progress has it: `98B`, `2.10kB`, `31.42MB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes}B`;
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value.toFixed(2)}${units[unit]}`;
}
