import { StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { topics, verbEntries } from "../verbs/index.ts";
import { setContext } from "./contexts.ts";
import { RamekinHelp } from "./help.ts";
import { loadConfig } from "./load-config.ts";

/** The rarely used part of the command line: help, topics, and commands that are found by oclif. */
export async function runWithOclif(words: readonly string[], context: Context): Promise<number> {
  const config = await loadConfig();
  setContext(config, context);
  const help = new RamekinHelp(config, context.stdout);

  const asked = words[0] === "help" ? words.slice(1) : words;
  const isHelp = (word: string | undefined) => word === "--help" || word === "-h";
  for (let length = Math.min(asked.length, 2); length > 0; length--) {
    const id = asked.slice(0, length).join(":");
    const command = config.findCommand(canonical(id));
    if (command === undefined) continue;
    if (words[0] === "help") {
      await help.showHelp(asked.slice(0, length));
      return exitStatus.ok;
    }
    return await config.runCommand<number>(command.id, asked.slice(length));
  }

  const [first, second] = asked;
  if (first === undefined || isHelp(first)) {
    await help.showHelp([]);
    return exitStatus.ok;
  }
  if (Object.hasOwn(topics, first) && (second === undefined || isHelp(second))) {
    await help.showHelp([first]);
    return exitStatus.ok;
  }
  throw unknownCommand(asked);
}

/** oclif's id of a verb, by any of the ways to type it. */
function canonical(id: string): string {
  const path = id.replaceAll(":", " ");
  return verbEntries.find(({ paths }) => paths.includes(path))?.paths[0].replaceAll(" ", ":") ?? id;
}

function unknownCommand([first = "", second = ""]: readonly string[]): Error {
  if (first.startsWith("-")) return new UsageError(`unknown flag: ${first}`);
  const typed = Object.hasOwn(topics, first) ? `${first} ${second}` : first;
  const near = nearest(typed);
  return new StatusError(
    `unknown command: ramekin ${typed}`,
    exitStatus.failure,
    near === undefined ? "ramekin --help shows what there is" : `did you mean ramekin ${near}?`,
  );
}

/** What somebody may have meant: at most two keys away. */
function nearest(typed: string): string | undefined {
  const paths = verbEntries.flatMap(({ paths }) => paths);
  const ranked = paths.map((path) => [distance(typed, path), path] as const).sort(([a], [b]) => a - b);
  const [best] = ranked;
  return best !== undefined && best[0] <= 2 && best[0] < typed.length ? best[1] : undefined;
}

/** Levenshtein's, with Damerau's swap: two letters in the wrong order are one slip of the fingers. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  let above: readonly number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (above[j - 2] as number) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + change, swapped));
    }
    above = row;
    row = next;
  }
  return row[b.length] as number;
}
