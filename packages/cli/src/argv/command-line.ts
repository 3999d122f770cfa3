import type { Verb } from "../verb.ts";

/** A command as one would type it again: the flags that say something else than by default, in the order of their declaration. */
export function commandLine(
  verb: Pick<Verb, "name" | "flags">,
  values: Readonly<Record<string, unknown>>,
  words: readonly string[],
): string {
  const flags = Object.entries(verb.flags).flatMap(([name, flag]) => {
    const value = values[name];
    if (flag.type === "list") return (value as readonly string[]).flatMap((each) => [`--${name}`, each]);
    if (flag.type === "boolean") return value === true && flag.default !== true ? [`--${name}`] : [];
    return value === undefined || value === flag.default ? [] : [`--${name}=${value}`];
  });
  return ["ramekin", ...verb.name.split(" "), ...flags, ...words].map(quoted).join(" ");
}

/** For a shell. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
