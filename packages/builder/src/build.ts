import { basename } from "node:path";
import { type BuildBase, type BuildHost, RamekinError } from "@ramekin/core";
import {
  type BaseOrigin,
  type Dockerfile,
  type EvaluatedStage,
  type Evaluation,
  evaluateStages,
  type Origin,
  type ResolveOptions,
  resolveStages,
  type StageGraph,
  sourceKey,
  type Warning,
  warningText,
} from "@ramekin/dockerfile";
import type { ContainerImageConfig } from "@ramekin/oci";
import type { BuildEvent, BuildOptions, BuildResult } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import type { Context } from "./context.ts";
import { Contexts } from "./contexts.ts";
import { publishBuilt } from "./publish.ts";
import { dockerfilePath, readable, readDockerfile } from "./read-dockerfile.ts";
import { contextStack } from "./run-step.ts";
import type { Supply } from "./source.ts";
import { type Built, buildStage, nothing } from "./stage.ts";
import { StepTitles } from "./step-titles.ts";
import { buildWarning } from "./warning.ts";
import { type Teller, told, type Workbench } from "./workbench.ts";

/** Builds an image of a Dockerfile. Stages that the target does not need are not built; those that can be are built at once. */
export async function build(host: BuildHost, asked: BuildOptions = {}): Promise<BuildResult> {
  const options = readable(asked);
  const path = dockerfilePath(options);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let steps = 0;
  const tell = (event: BuildEvent) => options.onEvent?.(event);
  const teller: Teller = { signal, tell, nextStep: () => ++steps, plan: (more) => tell({ type: "plan", steps: steps + more }) };
  await using session = await host.openBuild({ signal });
  const bench: Workbench = { ...teller, session, noCache: options.noCache ?? false, made: [], secrets: options.secrets ?? {} };
  await using contexts = new Contexts(bench, options, path);
  const dockerfile = await loadDockerfile(teller, contexts, options.title ?? path);
  return await publishBuilt(bench, options, (own) => new RunningBuild(bench, dockerfile, own, contexts, stop).target());
}

/** The first step: warnings are about it. */
const loading = 1;

function loadDockerfile(teller: Teller, contexts: Contexts, path: string | undefined): Promise<Dockerfile> {
  const name = basename(path ?? "Dockerfile");
  return told(teller, `[internal] load build definition from ${name}`, async (step) => {
    const file = readDockerfile(await contexts.dockerfile(), path);
    const bytes = Buffer.byteLength(file.source.text);
    teller.tell({ type: "part", step, name: "transferring dockerfile:", bytes, done: true });
    return file;
  });
}

function warningEvent(file: Dockerfile, warning: Warning): BuildEvent {
  return { type: "warning", step: loading, message: warningText(warning), warning: buildWarning(file, warning) };
}

/** The stages of one build, each built at most once, when somebody needs it. */
class RunningBuild {
  readonly #bench: Workbench;
  readonly #dockerfile: Dockerfile;
  readonly #options: BuildOptions;
  readonly #contexts: Contexts;
  readonly #images = new Map<string, Promise<BuildBase>>();
  readonly #built = new Map<number, Promise<Built>>();
  readonly #stop: AbortController;
  readonly #shown = new Set<string>();
  #evaluation: Evaluation | undefined;

  constructor(bench: Workbench, dockerfile: Dockerfile, options: BuildOptions, contexts: Contexts, stop: AbortController) {
    this.#bench = bench;
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#contexts = contexts;
    this.#stop = stop;
  }

  async target(): Promise<{ readonly image: ContainerImageConfig; readonly built: Built }> {
    const graph = await this.#resolve();
    const context = await this.#contexts.main();
    this.#evaluation = evaluateStages(graph, context ? { ignore: context.ignored } : {});
    for (const warning of this.#evaluation.warnings) this.#bench.tell(warningEvent(this.#dockerfile, warning));
    if (this.#evaluation.violation) throw this.#evaluation.violation;
    const { stages, target } = this.#evaluation;
    const bases = new Set(stages.flatMap(({ stage: { base } }) => (base.kind === "image" ? sourceKey(base) : [])));
    this.#bench.plan(bases.size + stages.reduce((sum, { steps }) => sum + steps.length, 0) + 1);
    return { image: target.image, built: await this.#buildAll(stages, target) };
  }

  /** All are begun at once: each waits for those that it needs, and the target for all of them. The first that fails ends the others. */
  async #buildAll(stages: readonly EvaluatedStage[], { stage }: EvaluatedStage): Promise<Built> {
    let failed: { readonly error: unknown } | undefined;
    const all = stages.map(({ stage: { index } }) => this.#build(index));
    for (const one of all) {
      one.catch((error) => {
        failed ??= { error };
        this.#stop.abort(new RamekinError("CANCELLED", "another step of the build has failed"));
      });
    }
    await Promise.allSettled(all);
    if (failed) throw failed.error;
    return this.#build(stage.index);
  }

  /** ONBUILD triggers of an image may need further images: until all are known. */
  async #resolve(): Promise<StageGraph> {
    const { platform = this.#bench.session.platform, target, args = {} } = this.#options;
    const explicit = this.#options.platform !== undefined;
    const platforms = { target: platform, build: this.#bench.session.platform, explicit };
    const bases = new Map<string, ContainerImageConfig>();
    const options: ResolveOptions = {
      platforms,
      buildArgs: new Map(Object.entries(args)),
      bases,
      contexts: this.#contexts.names,
      stages: this.#contexts.stages,
      ...(target !== undefined && { target }),
    };
    for (;;) {
      const graph = resolveStages(this.#dockerfile, options);
      if (graph.missing.length === 0) return graph;
      await Promise.all(
        graph.missing.map(async (origin) => {
          bases.set(sourceKey(origin), await this.#configOf(origin));
        }),
      );
    }
  }

  /** Files have no configuration of their own. */
  async #configOf(origin: BaseOrigin): Promise<ContainerImageConfig> {
    if (origin.kind === "image") return (await this.#image(origin)).config as ContainerImageConfig;
    const named = await this.#contexts.named(origin.name, origin.platform);
    if ("image" in named) return named.image.config as ContainerImageConfig;
    const { os, architecture } = origin.platform;
    return { os, architecture, rootfs: { type: "layers", diff_ids: [] } };
  }

  #image(origin: BaseOrigin & { readonly kind: "image" }): Promise<BuildBase> {
    const { reference, platform } = origin;
    const { session, signal } = this.#bench;
    const key = sourceKey(origin);
    const known =
      this.#images.get(key) ??
      told(this.#bench, `[internal] load metadata for ${reference}`, () =>
        session.image(reference, { platform, pull: this.#options.pull ?? "missing", signal }),
      );
    this.#images.set(key, known);
    return known;
  }

  #build(index: number): Promise<Built> {
    const known = this.#built.get(index) ?? this.#buildStage(index);
    this.#built.set(index, known);
    return known;
  }

  async #buildStage(index: number): Promise<Built> {
    const stage = this.#evaluation?.stages.find((each) => each.stage.index === index);
    if (!stage) throw new RamekinError("INTERNAL", `stage ${index} is needed and was not evaluated`);
    const { base } = stage.stage;
    const titles = new StepTitles(stage, this.#dockerfile.stages.length);
    if (base.kind === "image") await this.#begin(base, titles);
    return buildStage(this.#bench, stage, await this.#origin(base), {
      titles,
      dockerfile: this.#dockerfile,
      options: this.#options,
      context: () => this.#open(),
      foreign: (origin) => this.#supply(origin),
    });
  }

  /** Once for all stages that begin with it, as BuildKit shows it. */
  async #begin(base: BaseOrigin & { readonly kind: "image" }, titles: StepTitles): Promise<void> {
    const key = sourceKey(base);
    if (this.#shown.has(key)) return;
    this.#shown.add(key);
    const { digest } = await this.#image(base);
    await told(this.#bench, titles.first(`FROM ${base.reference}@${digest}`), async () => {});
  }

  async #origin(origin: Origin): Promise<Built> {
    if (origin.kind === "scratch") return nothing;
    if (origin.kind === "stage") return this.#build(origin.index);
    if (origin.kind === "context") {
      const named = await this.#contexts.named(origin.name, origin.platform);
      return "image" in named ? fromImage(named.image) : { ...nothing, ...(await contextStack(this.#bench, named.context, "/")) };
    }
    return fromImage(await this.#image(origin));
  }

  /** Files of a context are taken as they are; of all else, the layers. */
  async #supply(origin: Origin): Promise<Supply> {
    const named = origin.kind === "context" && (await this.#contexts.named(origin.name, origin.platform));
    return named && "context" in named ? named.context : this.#origin(origin);
  }

  async #open(): Promise<Context> {
    const context = await this.#contexts.main();
    if (context) return context;
    throw new RamekinError("FAILED_PRECONDITION", "there is no build context to copy from", { hint: "give a directory" });
  }
}

function fromImage({ digest, config, layers }: BuildBase): Built {
  const { created, history = [] } = config as ContainerImageConfig;
  return {
    stack: layers,
    key: cacheKey("image", undefined, digest),
    history,
    createdAt: created,
    below: layers.length,
    inherited: history.length,
  };
}
