import type { RamekinError } from "@ramekin/core";
import { normalizePlatform } from "@ramekin/oci";
import type { Platforms } from "./arguments.ts";
import type { Warning } from "./checks.ts";
import { type EvaluatedStage, StageState } from "./evaluate-stage.ts";
import type { IgnoreMatcher } from "./ignore.ts";
import { Problems } from "./problem.ts";
import { type StageGraph, sourceKey } from "./stage-graph.ts";

export interface Evaluation {
  /** Those that are needed, in the order of the file. */
  readonly stages: readonly EvaluatedStage[];
  readonly target: EvaluatedStage;
  readonly warnings: readonly Warning[];
  /** The warnings are to fail the build: whoever builds tells them, then throws this. */
  readonly violation?: RamekinError;
}

/** What each needed stage does and becomes: variables expanded, defaults filled in, configuration and history as they will be. */
export function evaluateStages(graph: StageGraph, { ignore }: { readonly ignore?: IgnoreMatcher } = {}): Evaluation {
  const problems = new Problems(graph.file.source);
  const done = new Map<number, EvaluatedStage>();
  for (const stage of graph.needed) {
    const { base } = stage;
    const above = base.kind === "stage" ? done.get(base.index) : undefined;
    const image = base.kind === "image" || base.kind === "context" ? graph.options.bases?.get(sourceKey(base)) : undefined;
    const state = new StageState({ graph, stage, problems, ...(above && { above }), ...(image && { image }), ...(ignore && { ignore }) });
    done.set(stage.index, state.evaluate());
  }
  problems.raise();
  const target = withPlatform(done.get(graph.target.index) as EvaluatedStage, graph.options.platforms);
  done.set(graph.target.index, target);
  const { warnings, violation } = graph.checks;
  return { stages: [...done.values()], target, warnings, ...(violation && { violation }) };
}

function withPlatform(stage: EvaluatedStage, { target, explicit }: Platforms): EvaluatedStage {
  if (!explicit) return stage;
  const { variant: _, ...image } = stage.image;
  return { ...stage, image: { ...image, ...normalizePlatform(target) } };
}
