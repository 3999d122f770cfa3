import { loadVerbs, verbEntries } from "../../packages/cli/src/verbs/index.ts";

/** What the command line declares. */
export interface Declared {
  /** Verb, under its first name, to its flags' long names. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Other ways to type a verb to its first name: one declaration, one handler. */
  readonly aliases: ReadonlyMap<string, string>;
}

export async function declared(): Promise<Declared> {
  const verbs = await loadVerbs();
  return {
    flags: new Map(verbs.map(({ name, flags }) => [name, Object.keys(flags)])),
    aliases: new Map(verbEntries.flatMap(({ paths: [name, ...others] }) => others.map((other): [string, string] => [other, name]))),
  };
}
