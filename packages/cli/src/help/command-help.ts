import { globalFlags } from "../globals.ts";
import type { Group, Verb } from "../verb.ts";
import { loadVerbs, topics, verbEntries } from "../verbs/index.ts";
import { flagRows } from "./verb-help.ts";
import { twoColumns } from "./wrap.ts";

const titles: readonly (readonly [Group, string])[] = [
  ["common", "Common Commands:"],
  ["container", "Container Commands:"],
  ["image", "Image Commands:"],
  ["volume", "Volume Commands:"],
  ["secret", "Secret Commands:"],
  ["system", "System Commands:"],
];

/** What `ramekin --help` prints. */
export async function commandHelp(width = 80): Promise<string> {
  const verbs = (await loadVerbs()).filter(({ name }) => !name.includes(" "));
  const rows = (group: Group) => verbs.filter((verb) => verb.group === group).map(row);
  return [
    "Usage:  ramekin [OPTIONS] COMMAND",
    "",
    "Runs containers without a daemon",
    ...titles.flatMap(([group, title]) => ["", title, ...twoColumns(rows(group), width)]),
    "",
    "Management Commands:",
    ...twoColumns(
      Object.entries(topics).map(([name, summary]) => [`  ${name}`, summary] as const),
      width,
    ),
    "",
    "Global Options:",
    ...twoColumns(flagRows(globalFlags), width),
    "",
    "Run 'ramekin COMMAND --help' for more information on a command.",
    "First time here? Try 'ramekin run --rm ramekin/hello'.",
    "",
  ].join("\n");
}

/** What `ramekin container --help` prints. */
export async function topicHelp(topic: string, width = 80): Promise<string> {
  const rows: (readonly [string, string])[] = [];
  for (const entry of verbEntries) {
    const path = entry.paths.find((path) => path.startsWith(`${topic} `));
    if (path !== undefined) rows.push([`  ${path.slice(topic.length + 1)}`, (await entry.load()).summary]);
  }
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `Usage:  ramekin ${topic} COMMAND`,
    "",
    topics[topic] ?? "",
    "",
    "Commands:",
    ...twoColumns(rows, width),
    "",
    `Run 'ramekin ${topic} COMMAND --help' for more information on a command.`,
    "",
  ].join("\n");
}

const row = ({ name, summary }: Verb) => [`  ${name}`, summary] as const;
