import type { Evaluation } from "./evaluate.ts";
import type { EvaluatedStage } from "./evaluate-stage.ts";
import type { Dockerfile } from "./parse.ts";
import { descriptionOf } from "./parse-instruction.ts";
import type { Range } from "./source.ts";
import type { StageGraph } from "./stage-graph.ts";

/** `--call=targets`: what may be built. */
export interface Target {
  /** Absent for a stage without a name. */
  readonly name?: string;
  readonly description?: string;
  readonly base: string;
  readonly platform?: string;
  /** What is built when nothing is named. */
  readonly default: boolean;
  readonly range: Range;
}

export function listTargets(file: Dockerfile): readonly Target[] {
  return file.stages.map(({ from, index }) => {
    const description = descriptionOf(from.comments, from.stage ?? "");
    return {
      ...(from.stage !== undefined && { name: from.stage }),
      ...(description !== undefined && { description }),
      base: from.base.text,
      ...(from.platform && { platform: from.platform.text }),
      default: index === file.stages.length - 1,
      range: from.range,
    };
  });
}

/** `--call=outline`: what a target takes. */
export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly arguments: readonly { readonly name: string; readonly value?: string; readonly description?: string; readonly range: Range }[];
  readonly secrets: readonly OutlineCredential[];
  readonly ssh: readonly OutlineCredential[];
}

interface OutlineCredential {
  readonly name: string;
  readonly required: boolean;
  readonly range: Range;
}

export function outlineOf(graph: StageGraph, { stages, target }: Evaluation): Outline {
  const below = stagesBelow(graph, target, stages);
  const seen = new Set<string>();
  const args = below.flatMap((stage) =>
    [...withParts(stage)].flatMap((name) => {
      const found = stage.declared.get(name);
      if (!found || seen.has(name)) return [];
      seen.add(name);
      const { parts: _, ...rest } = found;
      return rest;
    }),
  );
  const { from } = target.stage;
  const description = descriptionOf(from.comments, from.stage ?? "");
  return {
    ...(from.stage !== undefined && { name: from.stage }),
    ...(description !== undefined && { description }),
    arguments: args.toSorted(byPlace),
    secrets: credentials(below.map(({ secrets }) => secrets)),
    ssh: credentials(below.map(({ ssh }) => ssh)),
  };
}

/** The target first, then what it is made of. */
function stagesBelow(graph: StageGraph, target: EvaluatedStage, all: readonly EvaluatedStage[]): readonly EvaluatedStage[] {
  const found = new Set<EvaluatedStage>();
  const visit = (evaluated: EvaluatedStage | undefined) => {
    if (!evaluated || found.has(evaluated)) return;
    found.add(evaluated);
    const { base, origins } = evaluated.stage;
    for (const origin of [base, ...[...origins.values()].flat()])
      if (origin?.kind === "stage") visit(all.find(({ stage }) => stage === graph.stages[origin.index]));
  };
  visit(target);
  return [...found];
}

/** The arguments a stage uses, and those that their defaults are made of. */
function withParts({ used, declared }: EvaluatedStage): ReadonlySet<string> {
  const all = new Set(used);
  for (const name of all) for (const part of declared.get(name)?.parts ?? []) all.add(part);
  return all;
}

function credentials(all: readonly EvaluatedStage["secrets"][]): readonly OutlineCredential[] {
  const found = new Map<string, OutlineCredential>();
  for (const each of all) for (const [name, credential] of each) if (!found.has(name)) found.set(name, { name, ...credential });
  return [...found.values()].toSorted(byPlace);
}

const byPlace = (a: { readonly range: Range }, b: { readonly range: Range }) => a.range.start.offset - b.range.start.offset;
