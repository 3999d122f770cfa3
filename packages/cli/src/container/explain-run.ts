import type { Explanation } from "@ramekin/engine";
import { checkArguments, parse } from "../argv/parse.ts";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { table } from "../format/table.ts";
import { ellipsis } from "../format/units.ts";
import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";
import type { Verb } from "../verb.ts";
import { type ContainerFlagValues, containerOptions } from "./options.ts";
import { type Leaves, leavesOf } from "./spec-leaves.ts";

export interface ExplainFlags {
  readonly all: boolean;
  readonly format: string | undefined;
}

/** One part of the specification, and why it is so. */
interface Part {
  readonly path: string;
  /** Absent for what would be there without what `source` names. */
  readonly value?: string;
  readonly source: string;
}

/**
 * `ramekin explain run …`. Where a part comes from is not told by those who make it, it is tried: the specification is made again
 * without each flag, and without the image's configuration, and what differs comes from there.
 */
export async function explainRun(
  { all, format }: ExplainFlags,
  [name = "", ...argv]: readonly string[],
  context: Context,
): Promise<number> {
  const verb = await verbNamed(name);
  const { flags, arguments: words } = parse(argv, verb);
  checkArguments(verb, words.length);
  const defaults = parse([], verb).flags as Record<string, unknown>;
  const engine = await context.engine();
  const explain = async (values: object, rest: readonly string[]) => {
    const surroundings = { environment: context.environment, workingDirectory: process.cwd() };
    return await engine.explain(await containerOptions(values as ContainerFlagValues, rest, surroundings));
  };
  const whole = await explain(flags, words);
  const variants = new Map<string, Leaves>();
  const without = async (source: string, values: object, rest: readonly string[]) => {
    // Without one flag another may make no sense: then nothing is learned from leaving it out.
    const explanation = await explain(values, rest).catch(() => undefined);
    if (explanation) variants.set(source, leavesOf(explanation.spec));
  };
  for (const [flag, value] of Object.entries(flags)) {
    if (JSON.stringify(value) !== JSON.stringify(defaults[flag])) await without(`--${flag}`, { ...flags, [flag]: defaults[flag] }, words);
  }
  if (words.length > 1) await without("command", flags, words.slice(0, 1));
  variants.set("image", leavesOf(whole.withoutImage));
  print({ all, format }, whole, partsOf(leavesOf(whole.spec), variants), context);
  return 0;
}

async function verbNamed(name: string): Promise<Verb> {
  if (name === "run") return (await import("../verbs/run.ts")).default as unknown as Verb;
  if (name === "create") return (await import("../verbs/create.ts")).default as unknown as Verb;
  throw new UsageError(`explain knows run and create, not ${JSON.stringify(name)}`, { hint: "ramekin explain run IMAGE" });
}

function partsOf(leaves: Leaves, variants: ReadonlyMap<string, Leaves>): Part[] {
  const parts: Part[] = [...leaves].map(([path, value]) => {
    const sources = [...variants].filter(([, other]) => other.get(path) !== value).map(([source]) => source);
    return { path, value, source: sources.join(", ") || "default" };
  });
  const gone = new Map<string, string[]>();
  for (const [source, other] of variants) {
    for (const path of other.keys()) if (!leaves.has(path)) gone.set(path, [...(gone.get(path) ?? []), source]);
  }
  return [...parts, ...[...gone].map(([path, sources]) => ({ path, source: sources.join(", ") }))];
}

function print({ all, format }: ExplainFlags, { image, drivers, spec }: Explanation, parts: readonly Part[], context: Context): void {
  const data = {
    Image: { Name: image.name, ID: image.id },
    Drivers: drivers,
    Spec: spec,
    Sources: Object.fromEntries(parts.map(({ path, source }) => [path, source])),
    Removed: parts.filter(({ value }) => value === undefined).map(({ path }) => path),
  };
  if (format !== undefined && format !== "") {
    context.print(format === "json" ? json(data) : compileTemplate(format)(data));
    return;
  }
  context.print(`Image:   ${image.name} (${image.id})`);
  context.print(
    `Drivers: ${Object.entries(drivers)
      .map(([kind, driver]) => `${kind} ${driver}`)
      .join(", ")}`,
  );
  context.print("");
  const shown = parts.filter(({ source }) => all || source !== "default");
  const rows = shown.map(({ path, value, source }) => [path, source, value === undefined ? "(removed)" : ellipsis(value, 100)]);
  for (const line of table([["PART", "FROM", "VALUE"], ...rows])) context.print(line);
  if (!all) context.print(`\n${parts.length - shown.length} more parts are as they are by default: --all shows them`);
}
