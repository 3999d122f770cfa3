import type { Flag, Flags, FlagValues, Input, Refusal, Verb } from "../verb.ts";
import { isOn, readValue } from "./read-value.ts";
import { UsageError } from "./status-error.ts";

/** What `parse` needs to know of a verb, and of the global flags. */
export interface Grammar<F extends Flags = Flags> {
  readonly flags: F;
  readonly refused?: Readonly<Record<string, Refusal>>;
  readonly stopAtArgument?: boolean;
}

export interface Parsed<F extends Flags> extends Input<F> {
  readonly help: boolean;
}

type Raw = Record<string, string | number | boolean | string[]>;

/**
 * Reads a command line by the rules of Docker's: `--flag=value`, `--flag value`, `-f value`, `-fvalue`, `-f=value`,
 * clusters (`-it`), booleans that take a value only behind `=`, `--` as the end of flags, the last one wins.
 * `--help` ends the reading, whatever stands behind it.
 */
export function parse<F extends Flags>(argv: readonly string[], grammar: Grammar<F>): Parsed<F> {
  const values: Raw = {};
  const positional: string[] = [];
  let help = false;
  let index = 0;

  const next = (missing: string): string => {
    const value = argv[index];
    if (value === undefined) throw new UsageError(`flag needs an argument: ${missing}`);
    index++;
    return value;
  };

  while (index < argv.length && !help) {
    const word = argv[index++] as string;
    if (word === "--") {
      positional.push(...argv.slice(index));
      break;
    }
    if (word.startsWith("--")) {
      help = readLong(word, grammar, values, next);
    } else if (word.startsWith("-") && word !== "-") {
      help = readCluster(word, grammar, values, next);
    } else if (grammar.stopAtArgument) {
      positional.push(...argv.slice(index - 1));
      break;
    } else {
      positional.push(word);
    }
  }
  return { flags: withDefaults(grammar.flags, values), arguments: positional, help };
}

function readLong(word: string, grammar: Grammar, values: Raw, next: (missing: string) => string): boolean {
  const [name, inline] = splitOnce(word.slice(2));
  if (name === "") throw new UsageError(`bad flag syntax: ${word}`);
  const flag = Object.hasOwn(grammar.flags, name) ? grammar.flags[name] : undefined;
  if (flag === undefined) {
    if (name === "help") return isOn(inline ?? "true") ?? true;
    refuse(grammar, (long) => long === name);
    throw new UsageError(`unknown flag: --${name}`);
  }
  assign(values, name, flag, inline ?? (flag.type === "boolean" ? "true" : next(`--${name}`)));
  return false;
}

/** `-it`, `-eFOO=1`, `-e FOO=1`, `-d=false`. */
function readCluster(word: string, grammar: Grammar, values: Raw, next: (missing: string) => string): boolean {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] as string;
    const found = Object.entries(grammar.flags).find(([, { short }]) => short === letter);
    if (found === undefined) {
      if (letter === "h") return true;
      refuse(grammar, (_, { short }) => short === letter);
      throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`);
    }
    const [name, flag] = found;
    const rest = word.slice(at + 1);
    if (rest.startsWith("=")) {
      assign(values, name, flag, rest.slice(1));
      return false;
    }
    if (flag.type !== "boolean") {
      assign(values, name, flag, rest === "" ? next(`'${letter}' in ${word}`) : rest);
      return false;
    }
    assign(values, name, flag, "true");
  }
  return false;
}

function assign(values: Raw, name: string, flag: Flag, text: string): void {
  if (flag.type === "list") {
    const list = values[name];
    if (Array.isArray(list)) list.push(text);
    else values[name] = [text];
    return;
  }
  const result = readValue(flag, text);
  if ("reason" in result) {
    const spelled = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
    throw new UsageError(`invalid argument "${text}" for "${spelled}" flag: ${result.reason}`);
  }
  values[name] = result.value;
}

function refuse(grammar: Grammar, is: (long: string, refusal: Refusal) => boolean): void {
  const found = Object.entries(grammar.refused ?? {}).find(([long, refusal]) => is(long, refusal));
  if (found === undefined) return;
  const [long, { short, reason, hint }] = found;
  throw new UsageError(`${short ? `-${short}, ` : ""}--${long}: ${reason}`, { hint });
}

function withDefaults<F extends Flags>(flags: F, values: Raw): FlagValues<F> {
  const all: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (name in values) all[name] = values[name];
    else if (flag.type === "boolean") all[name] = flag.default === null ? undefined : (flag.default ?? false);
    else if (flag.type === "list") all[name] = [];
    else all[name] = flag.default;
  }
  return all as FlagValues<F>;
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Docker's wording and status for too few or too many arguments. */
export function checkArguments(verb: Verb, given: number, flags: Readonly<Record<string, unknown>> = {}): void {
  const wanted = verb.arguments.filter(({ unless }) => unless === undefined || flags[unless] !== true);
  const least = wanted.filter(({ optional }) => !optional).length;
  const most = wanted.some(({ repeats }) => repeats) ? Number.POSITIVE_INFINITY : wanted.length;
  if (given >= least && given <= most) return;
  const plural = (count: number) => `${count} argument${count === 1 ? "" : "s"}`;
  let needs: string;
  if (most === 0) needs = "accepts no arguments";
  else if (least === most) needs = `requires ${plural(least)}`;
  else if (given < least) needs = `requires at least ${plural(least)}`;
  else needs = `requires at most ${plural(most)}`;
  throw new UsageError(`'ramekin ${verb.name}' ${needs}`, { verb, status: 1 });
}
