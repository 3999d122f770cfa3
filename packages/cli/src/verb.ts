import type { Context } from "./context.ts";

/**
 * A *verb* is one command of `ramekin`, declared once, as data: the parser, `--help`, the pages in docs/commands, the
 * completion scripts and the oclif command classes are all made from the same declaration. A flag that is not declared
 * does not exist, and one that is declared works.
 */
export interface Verb<F extends Flags = Flags> {
  /** As typed: `run`, `system prune`. */
  readonly name: string;
  readonly group: Group;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs for the page in docs/commands and for `--help`. */
  readonly description?: string;
  readonly arguments: readonly Argument[];
  /** By long name. */
  readonly flags: F;
  /** Flags of other engines that are recognised only to say why they cannot be had. Never shown, never completed. */
  readonly refused?: Readonly<Record<string, Refusal>>;
  readonly examples: readonly Example[];
  /** An everyday verb: dispatched without loading oclif. */
  readonly hot: boolean;
  /** The first argument ends the flags: what follows belongs to the command in the container. */
  readonly stopAtArgument?: boolean;
  /** Exit status when the engine fails, where it is not 1. */
  readonly failure?: number;
  /** Resolves with the exit status. */
  run(input: Input<F>, context: Context): Promise<number>;
}

export type Group = "common" | "container" | "image" | "volume" | "secret" | "system";

export interface Argument {
  /** In capitals, as in the usage line: `CONTAINER`. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** A flag that stands for it: with that it is not given. */
  readonly unless?: string;
  /** Takes all that follow. */
  readonly repeats?: boolean;
  /** What the completion scripts offer. */
  readonly complete?: Completion;
}

export type Completion = "container" | "running" | "stopped" | "image" | "volume" | "file";

export interface Example {
  readonly command: string;
  readonly summary: string;
}

export interface Refusal {
  readonly short?: string;
  readonly reason: string;
  readonly hint?: string;
}

interface Common {
  /** One letter. */
  readonly short?: string;
  readonly summary: string;
  /** What `--help` calls the value; the type's name when absent. */
  readonly value?: string;
  readonly complete?: Completion;
}

/** `bytes`: a number with an optional unit, as in `64m`. `list`: may be given many times. */
export type Flag =
  /** `null`: whoever says nothing has said neither. */
  | (Common & { readonly type: "boolean"; readonly default?: boolean | null })
  | (Common & { readonly type: "string"; readonly default?: string; readonly choices?: readonly string[] })
  | (Common & { readonly type: "int" | "decimal" | "bytes"; readonly default?: number })
  | (Common & { readonly type: "list" });

export type Flags = Readonly<Record<string, Flag>>;

type Given<F, T> = F extends { readonly default: T } ? T : T | undefined;

export type FlagValue<F extends Flag> = F extends { readonly type: "boolean" }
  ? F extends { readonly default: null }
    ? boolean | undefined
    : boolean
  : F extends { readonly type: "list" }
    ? readonly string[]
    : F extends { readonly type: "string" }
      ? Given<F, string>
      : Given<F, number>;

export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: FlagValue<F[Name]> };

export interface Input<F extends Flags = Flags> {
  readonly flags: FlagValues<F>;
  readonly arguments: readonly string[];
}

/** Identity at run time; types `run`'s input after the flags that stand beside it. */
export function defineVerb<const F extends Flags>(verb: Verb<F>): Verb<F> {
  return verb;
}

/** The part of the usage line behind the verb: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
export function synopsis(verb: Verb): string {
  const parts = verb.arguments.map(({ name, optional = false, repeats = false }) => {
    if (repeats) return optional ? `[${name}...]` : `${name} [${name}...]`;
    return optional ? `[${name}]` : name;
  });
  if (Object.keys(verb.flags).length > 0) parts.unshift("[OPTIONS]");
  return parts.join(" ");
}
