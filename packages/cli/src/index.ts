/** The declarations, for whoever counts, documents or checks them, and the dispatcher, for whoever embeds the command. */
export { dispatch } from "./dispatch.ts";
export type { Argument, Example, Flag, Flags, Group, Input, Verb } from "./verb.ts";
export { synopsis } from "./verb.ts";
export { loadVerbs, topics, type VerbEntry, verbEntries } from "./verbs/index.ts";
