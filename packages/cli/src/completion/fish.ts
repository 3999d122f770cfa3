import { globalFlags } from "../globals.ts";
import type { Completion, Flag, Flags } from "../verb.ts";
import { loadVerbs, topics, verbEntries } from "../verbs/index.ts";
import { candidates } from "./candidates.ts";

/** A file for fish's completions folder. */
export async function fishScript(): Promise<string> {
  const verbs = await loadVerbs();
  const lines = ["# fish completion of ramekin; made by 'ramekin completion fish'", "complete -c ramekin -f"];
  lines.push(...flagLines("__fish_use_subcommand", globalFlags));
  for (const [topic, summary] of Object.entries(topics)) lines.push(complete("__fish_use_subcommand", `-a ${topic} -d ${quote(summary)}`));
  for (const [index, verb] of verbs.entries()) {
    for (const path of verbEntries[index]?.paths ?? [verb.name]) {
      const [first = "", second] = path.split(" ");
      const condition =
        second === undefined
          ? `__fish_seen_subcommand_from ${first}`
          : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
      if (second === undefined) lines.push(complete("__fish_use_subcommand", `-a ${first} -d ${quote(verb.summary)}`));
      else
        lines.push(
          complete(
            `__fish_seen_subcommand_from ${first}; and test (count (commandline -opc)) -eq 2`,
            `-a ${second} -d ${quote(verb.summary)}`,
          ),
        );
      lines.push(...flagLines(condition, verb.flags));
      const argument = verb.arguments[0];
      if (argument?.complete !== undefined) lines.push(complete(condition, values(argument.complete)));
    }
  }
  return `${lines.join("\n")}\n`;
}

function flagLines(condition: string, flags: Flags): string[] {
  return Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
    return complete(condition, `-l ${name}${short}${valuesOf(flag)} -d ${quote(flag.summary)}`);
  });
}

function valuesOf(flag: Flag): string {
  if (flag.type === "boolean") return "";
  if (flag.type === "string" && flag.choices !== undefined) return ` -x -a ${quote(flag.choices.join(" "))}`;
  return flag.complete === undefined ? " -x" : ` -r ${values(flag.complete)}`;
}

const values = (what: Completion) => (what === "file" ? "-F" : `-a ${quote(`(${candidates[what]} 2>/dev/null)`)}`);
const complete = (condition: string, rest: string) => `complete -c ramekin -n ${quote(condition)} ${rest}`;
const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
