import { loadVerbs } from "../verbs/index.ts";
import { commandClass } from "./command-class.ts";

/** What oclif discovers, by its own ids: `system:prune`. */
export const commands = Object.fromEntries((await loadVerbs()).map((verb) => [verb.name.replaceAll(" ", ":"), commandClass(verb)]));
