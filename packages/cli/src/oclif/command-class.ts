import { Args, Command, Flags } from "@oclif/core";
import { runVerb } from "../dispatch.ts";
import type { Argument, Flag, Verb } from "../verb.ts";
import { contextOf } from "./contexts.ts";

/**
 * A verb as an oclif command, for what oclif is good at: help, topics, plugins, manifests. Flags and arguments are
 * described to oclif and read by our own parser, so that a verb behaves alike on both ways.
 */
export function commandClass(verb: Verb): Command.Class {
  return class extends Command {
    static override summary = verb.summary;
    static override description = verb.description ?? verb.summary;
    static override examples = verb.examples.map(({ command, summary }) => ({ command, description: summary }));
    static override flags = Object.fromEntries(Object.entries(verb.flags).map(([name, flag]) => [name, oclifFlag(flag)]));
    static override args = Object.fromEntries(verb.arguments.map((argument) => [argument.name.toLowerCase(), oclifArgument(argument)]));
    static override strict = false;

    override run(): Promise<number> {
      return runVerb(verb, this.argv, contextOf(this.config));
    }
  };
}

function oclifFlag(flag: Flag) {
  const common = { summary: flag.summary, ...(flag.short !== undefined && { char: flag.short as "a" }) };
  switch (flag.type) {
    case "boolean":
      return Flags.boolean({ ...common, default: flag.default ?? false });
    case "int":
      return Flags.integer({ ...common, ...(flag.default !== undefined && { default: flag.default }) });
    case "list":
      return Flags.string({ ...common, multiple: true, multipleNonGreedy: true });
    case "string":
      return Flags.string({
        ...common,
        ...(flag.default !== undefined && { default: flag.default }),
        ...(flag.choices !== undefined && { options: [...flag.choices] }),
      });
    case "decimal":
    case "bytes":
      return Flags.string(common);
  }
}

function oclifArgument({ summary, optional = false }: Argument) {
  return Args.string({ description: summary, required: !optional });
}
