import { type Flag, type Flags, synopsis, type Verb } from "../verb.ts";
import { pathsOf } from "../verbs/index.ts";
import { twoColumns, wrap } from "./wrap.ts";

const defaultWidth = 80;

/** What `ramekin VERB --help` prints, in Docker's layout. */
export function verbHelp(verb: Verb, width = defaultWidth): string {
  const aliases = pathsOf(verb.name).filter((path) => path !== verb.name);
  return [
    `Usage:  ramekin ${verb.name} ${synopsis(verb)}`.trimEnd(),
    "",
    verb.summary,
    ...(verb.description === undefined ? [] : ["", ...wrap(verb.description, width)]),
    ...(aliases.length === 0 ? [] : ["", "Aliases:", `  ${[...aliases, verb.name].map((path) => `ramekin ${path}`).join(", ")}`]),
    ...section("Options:", Object.keys(verb.flags).length > 0 ? twoColumns(flagRows(verb.flags), width) : []),
    ...section(
      "Examples:",
      verb.examples.flatMap(({ command, summary }) => [`  # ${summary}`, `  ${command}`]),
    ),
    "",
  ].join("\n");
}

/** `-e, --env list` and what it does. */
export function flagRows(flags: Flags): (readonly [string, string])[] {
  const sorted = Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, flag]) => {
    const short = flag.short === undefined ? "   " : `-${flag.short},`;
    const value = valueName(flag);
    return [`  ${short} --${name}${value === "" ? "" : ` ${value}`}`, flag.summary + defaultText(flag)] as const;
  });
}

export function valueName(flag: Flag): string {
  return flag.value ?? (flag.type === "boolean" ? "" : flag.type);
}

export function defaultText(flag: Flag): string {
  if (!("default" in flag) || flag.default === undefined || flag.default === null || flag.default === false) return "";
  return ` (default ${typeof flag.default === "string" ? `"${flag.default}"` : flag.default})`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}
