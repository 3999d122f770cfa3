import { UsageError } from "../argv/status-error.ts";

/** `--filter KEY=VALUE` by key; values of one key are alternatives, keys are conditions that must all hold. */
export function parseFilters(texts: readonly string[], known: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const key = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
    if (at < 0)
      throw new UsageError(`invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`, { hint: "--filter KEY=VALUE" });
    if (!known.includes(key)) throw new UsageError(`invalid filter '${key}'`, { status: 1, hint: `known are ${known.join(", ")}` });
    const values = filters.get(key) ?? [];
    values.push(text.slice(at + 1).trim());
    filters.set(key, values);
  }
  return filters;
}

/** `key` must be there, `key=value` must be so; all of them must hold. */
export function matchesLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const at = text.indexOf("=");
    return at < 0 ? Object.hasOwn(labels, text) : labels[text.slice(0, at)] === text.slice(at + 1);
  });
}
