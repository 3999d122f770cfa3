import { RamekinError } from "@ramekin/core";

/** `KEY=VALUE` or `KEY` (then the value is empty); later ones win. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    if (key === "") throw new RamekinError("INVALID_ARGUMENT", `label without a key: ${text}`, { hint: "--label KEY=VALUE" });
    labels[key] = at < 0 ? "" : text.slice(at + 1);
  }
  return labels;
}

/** `KEY=VALUE`, or `KEY` to take the caller's value; a `KEY` that the caller has not is left out. Later ones win. */
export function parseEnvironment(texts: readonly string[], caller: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    if (key === "")
      throw new RamekinError("INVALID_ARGUMENT", `environment variable without a name: ${text}`, { hint: "--env NAME=VALUE" });
    const value = at < 0 ? caller[key] : text.slice(at + 1);
    if (value !== undefined) environment[key] = value;
  }
  return environment;
}

/**
 * The lines of an `--env-file`, for `parseEnvironment`: `NAME=VALUE` or `NAME`, taken literally (no quotes, no
 * expansion); empty lines and those that begin with # are skipped, as is white space before the name.
 */
export function parseEnvironmentFile(text: string, path: string): string[] {
  const lines: string[] = [];
  for (const [index, whole] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = whole.trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const name = line.split("=", 1)[0] as string;
    if (name === "") throw new RamekinError("INVALID_ARGUMENT", `${path}:${index + 1}: no variable name on this line`);
    if (/\s/.test(name)) throw new RamekinError("INVALID_ARGUMENT", `${path}:${index + 1}: white space in the variable name "${name}"`);
    lines.push(line);
  }
  return lines;
}
