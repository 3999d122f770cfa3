import { globalFlags } from "../globals.ts";
import { type Flags, synopsis, type Verb } from "../verb.ts";
import { loadVerbs, pathsOf } from "../verbs/index.ts";
import { defaultText, valueName } from "./verb-help.ts";

/** docs/commands, by file name; made from the declarations, so that the pages cannot say what the command does not do. */
export async function commandPages(): Promise<ReadonlyMap<string, string>> {
  const verbs = await loadVerbs();
  return new Map([["index.md", indexPage(verbs)], ...verbs.map((verb) => [fileName(verb), verbPage(verb)] as const)]);
}

const generated = "<!-- Made from packages/cli/src/verbs by `pnpm --filter @ramekin/cli docs`; do not edit. -->";
const fileName = ({ name }: Verb) => `${name.replaceAll(" ", "-")}.md`;

function indexPage(verbs: readonly Verb[]): string {
  return page([
    "# Commands",
    "",
    generated,
    "",
    "`ramekin [OPTIONS] COMMAND`: global options stand before the command, and each can stand in the environment as well.",
    "",
    "| command | |",
    "|---|---|",
    ...verbs.map((verb) => `| [${verb.name}](${fileName(verb)}) | ${cell(verb.summary)} |`),
    "",
    "## Global options",
    "",
    ...flagTable(globalFlags),
    "## Exit status",
    "",
    "| status | |",
    "|---|---|",
    "| 0 | it worked |",
    "| 1 | the engine failed |",
    "| 125 | a flag is wrong; in `run` and `create` also: the engine failed |",
    "| 126 | the command in the container cannot be executed |",
    "| 127 | the command is not in the container |",
    "| 128 + n | signal n ended the container, or ramekin itself |",
    "| any other | of the command in the container |",
  ]);
}

function verbPage(verb: Verb): string {
  const aliases = pathsOf(verb.name).filter((path) => path !== verb.name);
  return page([
    `# ramekin ${verb.name}`,
    "",
    generated,
    "",
    `${verb.summary}.`,
    "",
    "```",
    `ramekin ${verb.name} ${synopsis(verb)}`.trimEnd(),
    "```",
    "",
    ...(verb.description === undefined ? [] : [verb.description, ""]),
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.map((path) => `\`ramekin ${path}\``).join(", ")}.`, ""]),
    ...(verb.arguments.length === 0
      ? []
      : ["| argument | |", "|---|---|", ...verb.arguments.map(({ name, summary }) => `| \`${cell(name)}\` | ${cell(summary)} |`), ""]),
    ...(Object.keys(verb.flags).length === 0 ? [] : ["## Options", "", ...flagTable(verb.flags)]),
    "## Examples",
    "",
    ...verb.examples.flatMap(({ command, summary }) => [`${summary}:`, "", "```sh", command, "```", ""]),
  ]);
}

function flagTable(flags: Flags): string[] {
  const rows = Object.entries(flags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => {
      const spelled = `${flag.short === undefined ? "" : `-${flag.short}, `}--${name} ${valueName(flag)}`.trimEnd();
      return `| \`${spelled}\` | ${cell(flag.summary + defaultText(flag))} |`;
    });
  return ["| option | |", "|---|---|", ...rows, ""];
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
const page = (lines: readonly string[]) => `${lines.join("\n").trimEnd()}\n`;
