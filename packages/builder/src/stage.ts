import type { BuildFiles, BuildLayer, CachedStep, Digest, MadeStep, Platform } from "@ramekin/core";
import { isRamekinError, RamekinError } from "@ramekin/core";
import { type Dockerfile, DockerfileError, type EvaluatedStage, type Origin, type Step } from "@ramekin/dockerfile";
import type { ContainerImageConfig, HistoryEntry } from "@ramekin/oci";
import type { BuildOptions, FailedStep } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import type { Context } from "./context.ts";
import { makeDirectory } from "./directory.ts";
import { findSources } from "./find-sources.ts";
import { findOwner } from "./owner.ts";
import { findBinds, runKey, runStep } from "./run-step.ts";
import type { Foreign, Supply } from "./source.ts";
import type { StepTitles } from "./step-titles.ts";
import { transferKey, transferStep } from "./transfer-step.ts";
import { cached, type Workbench } from "./workbench.ts";

/** A stage, or what one begins with. */
export interface Built extends Foreign {
  readonly history: readonly HistoryEntry[];
  /** When its newest layer was made: steps that make none have its time, so that a build from the cache makes the same image. */
  readonly createdAt: string | undefined;
  /** How many layers, and entries of the history, are an image's that the build only begins with. */
  readonly below: number;
  readonly inherited: number;
}

export const nothing: Built = {
  stack: [],
  key: cacheKey("scratch", undefined, ""),
  history: [],
  createdAt: undefined,
  below: 0,
  inherited: 0,
};

export interface StageContext {
  readonly titles: StepTitles;
  readonly dockerfile: Dockerfile;
  readonly options: BuildOptions;
  /** Of the programs in the stage. */
  readonly platform?: Platform | undefined;
  readonly context: () => Promise<Context>;
  /** What `--from` names, built. */
  readonly foreign: (origin: Origin) => Promise<Supply>;
}

/** Does the steps of a stage on top of what it begins with. */
export async function buildStage(
  bench: Workbench,
  { stage, steps, image }: EvaluatedStage,
  base: Built,
  context: StageContext,
): Promise<Built> {
  let { stack, key, createdAt } = base;
  const made = new Map<number, CachedStep>();
  const fresh = context.options.noCacheFilter?.includes(stage.name) ?? false;
  const own = fresh ? { ...bench, noCache: true } : bench;
  for (const [index, step] of steps.entries()) {
    const title = context.titles.step(index, step.title);
    const failure = new Failure(context, step, title);
    try {
      const done = await doStep(own, step, title, { stack, key }, { ...context, failure, platform: stage.platform });
      bench.made?.push({ key: done.key, before: key, stack, ...done.step, ...mountsOf(step) });
      key = done.key;
      made.set(step.history, done.step);
      if (!done.step.layer) continue;
      stack = [...stack, done.step.layer];
      createdAt = done.step.createdAt.toISOString();
    } catch (error) {
      throw await failure.report(error);
    }
  }
  const history = datedHistory(image, base, made);
  return { ...base, stack, key, createdAt: createdAt ?? new Date(0).toISOString(), history };
}

/** The folders that outlive it. */
function mountsOf(step: Step): Pick<MadeStep, "mounts"> {
  if (step.type !== "run") return {};
  const ids = step.mounts.flatMap(({ type, id, destination }) => (type === "cache" ? (id ?? destination ?? []) : []));
  return ids.length > 0 ? { mounts: ids } : {};
}

interface Done {
  readonly key: Digest;
  readonly step: CachedStep;
}

type StepContext = StageContext & { readonly failure: Failure };

async function doStep(bench: Workbench, step: Step, title: string, before: Foreign, context: StepContext): Promise<Done> {
  const { stack } = before;
  const done = async (key: Digest, make: (number: number) => Promise<BuildLayer | undefined>): Promise<Done> => ({
    key,
    step: await cached(bench, title, { key, stack }, make),
  });
  if (step.type === "run") {
    const binds = await findBinds(bench, step, context.context, context.foreign);
    return done(runKey(before.key, step, binds), (number) =>
      runStep(bench, number, stack, step, {
        ...context.options,
        ...(context.platform && { platform: context.platform }),
        binds,
        failure: context.failure,
      }),
    );
  }
  if (step.type === "directory") {
    const { path, user } = step;
    // Whoever USER names has it, as in BuildKit; a name that nothing lists is for a RUN to complain of.
    const make = async (files: BuildFiles) =>
      makeDirectory(files, path, user === "" ? {} : { user: await findOwner(files, user, { unknown: "root", signal: bench.signal }) });
    return done(cacheKey("directory", before.key, user === "" ? path : { path, user }), () =>
      bench.session.change(stack, make, { signal: bench.signal }),
    );
  }
  const sources = await findSources(bench, step, context.context, step.origin && (await context.foreign(step.origin)));
  return done(await transferKey(bench, before.key, step, sources), () => transferStep(bench, stack, step, sources));
}

/** The base's as it is; of the stage's own, each with the time of the layer that it made or follows. */
function datedHistory(image: ContainerImageConfig, base: Built, made: ReadonlyMap<number, CachedStep>): readonly HistoryEntry[] {
  let created = base.createdAt ?? new Date(0).toISOString();
  return (image.history ?? []).map((entry, index) => {
    const before = base.history[index];
    if (before) return before;
    const step = made.get(index);
    if (step?.layer) created = step.createdAt.toISOString();
    return { created, ...entry, ...(step && !step.layer && { empty_layer: true }) };
  });
}

/** What is made of an error of a step: it gets its place, and the caller hears of it once. */
export class Failure {
  readonly #context: StageContext;
  readonly #step: Step;
  readonly #name: string;
  #told = false;

  constructor(context: StageContext, step: Step, name: string) {
    this.#context = context;
    this.#step = step;
    this.#name = name;
  }

  async report(error: unknown, run?: FailedStep["run"]): Promise<unknown> {
    const found = placed(this.#context.dockerfile, this.#step, error);
    const { onStepError, signal } = this.#context.options;
    if (this.#told || !isRamekinError(found) || found.code === "CANCELLED" || signal?.aborted) return found;
    this.#told = true;
    await onStepError?.({ name: this.#name, error: found, ...(run && { run }) });
    return found;
  }
}

/** What goes wrong in an instruction has its place in the file. */
function placed({ source }: Dockerfile, { instruction, triggered }: Step, error: unknown): unknown {
  if (!(error instanceof RamekinError) || error instanceof DockerfileError || error.cause instanceof DockerfileError) return error;
  if (triggered || error.code === "CANCELLED") return error;
  const place = new DockerfileError(source, instruction.range, error.message);
  return new RamekinError(error.code, place.message, { cause: place, ...(error.hint !== undefined && { hint: error.hint }) });
}
