import { type Command, HelpBase, type Interfaces } from "@oclif/core";
import type { OutputStream } from "../context.ts";
import { commandHelp, topicHelp } from "../help/command-help.ts";
import { verbHelp } from "../help/verb-help.ts";
import { findVerb, topics } from "../verbs/index.ts";

/** oclif's help in Docker's layout, from the declarations. A plugin's own command is shown by what it says of itself. */
export class RamekinHelp extends HelpBase {
  readonly #out: OutputStream;

  constructor(config: Interfaces.Config, out: OutputStream) {
    super(config);
    this.#out = out;
  }

  override async showHelp(words: string[]): Promise<void> {
    const [first, ...rest] = words;
    const found = findVerb(words);
    if (found !== undefined) this.#out.write(verbHelp(await found.entry.load(), this.#out.columns));
    else if (first === undefined) this.#out.write(await commandHelp(this.#out.columns));
    else if (rest.length === 0 && Object.hasOwn(topics, first)) this.#out.write(await topicHelp(first, this.#out.columns));
    else {
      const command = this.config.findCommand(words.join(":"));
      if (command !== undefined) await this.showCommandHelp(command);
    }
  }

  override async showCommandHelp({ id, summary = "", description = "" }: Command.Loadable): Promise<void> {
    this.#out.write(`Usage:  ramekin ${id.replaceAll(":", " ")}\n\n${summary}\n${description}\n`);
  }
}
