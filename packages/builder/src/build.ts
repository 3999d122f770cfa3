import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildBase, type BuildHost, RamekinError } from "@ramekin/core";
import {
  type BaseOrigin,
  type Dockerfile,
  type Evaluation,
  evaluateStages,
  foreignFrontend,
  type Origin,
  parseDockerfile,
  type ResolveOptions,
  resolveStages,
  type StageGraph,
  sourceKey,
  warningText,
} from "@ramekin/dockerfile";
import type { ContainerImageConfig } from "@ramekin/oci";
import type { BuildOptions, BuildResult } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import { type Context, openContext } from "./context.ts";
import { publishBuilt } from "./publish.ts";
import { notYet } from "./run-step.ts";
import { type Built, buildStage, nothing } from "./stage.ts";
import { told, type Workbench } from "./workbench.ts";

/** Builds an image of a Dockerfile. Stages that the target does not need are not built; those that can be are built at once. */
export async function build(host: BuildHost, options: BuildOptions = {}): Promise<BuildResult> {
  const path = options.file ?? (options.context === undefined ? undefined : join(options.context, "Dockerfile"));
  const dockerfile = await readDockerfile(options, path);
  await using session = await host.openBuild({ signal: options.signal });
  let steps = 0;
  const bench: Workbench = {
    session,
    noCache: options.noCache ?? false,
    signal: options.signal,
    tell: (event) => options.onEvent?.(event),
    nextStep: () => ++steps,
  };
  return await publishBuilt(bench, options, (own) => new RunningBuild(bench, dockerfile, own, path).target());
}

async function readDockerfile({ text }: BuildOptions, path: string | undefined): Promise<Dockerfile> {
  if (text === undefined && path === undefined)
    throw new RamekinError("INVALID_ARGUMENT", "a build needs a Dockerfile: `text`, `file` or `context`");
  const content =
    text ??
    (await readFile(path as string, "utf8").catch((cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "ENOENT" ? "no such file or directory" : cause.message;
      throw new RamekinError("NOT_FOUND", `failed to read dockerfile: open ${path}: ${reason}`, { cause });
    }));
  const foreign = foreignFrontend(content);
  if (foreign !== undefined) {
    throw new RamekinError("UNSUPPORTED", `the frontend ${foreign} cannot be run: docker/dockerfile is the one that is built in`, {
      hint: "remove the line `# syntax=`",
    });
  }
  return parseDockerfile(content, path ?? "Dockerfile");
}

/** The stages of one build, each built at most once, when somebody needs it. */
class RunningBuild {
  readonly #bench: Workbench;
  readonly #dockerfile: Dockerfile;
  readonly #options: BuildOptions;
  readonly #path: string | undefined;
  readonly #images = new Map<string, Promise<BuildBase>>();
  readonly #built = new Map<number, Promise<Built>>();
  #evaluation: Evaluation | undefined;
  #context: Promise<Context> | undefined;

  constructor(bench: Workbench, dockerfile: Dockerfile, options: BuildOptions, path: string | undefined) {
    this.#bench = bench;
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#path = path;
  }

  async target(): Promise<{ readonly image: ContainerImageConfig; readonly built: Built }> {
    const graph = await this.#resolve();
    const context = this.#options.context === undefined ? undefined : await this.#open();
    this.#evaluation = evaluateStages(graph, context ? { ignore: context.ignored } : {});
    for (const warning of this.#evaluation.warnings) this.#bench.tell({ type: "warning", message: warningText(warning) });
    if (this.#evaluation.violation) throw this.#evaluation.violation;
    // All are begun at once: each waits for those that it needs, and the target for all of them.
    const all = this.#evaluation.stages.map(({ stage }) => this.#build(stage.index));
    for (const one of all) one.catch(() => {}); // told by whoever needs it
    const { stage, image } = this.#evaluation.target;
    return { image, built: await this.#build(stage.index) };
  }

  /** ONBUILD triggers of an image may need further images: until all are known. */
  async #resolve(): Promise<StageGraph> {
    const { platform = this.#bench.session.platform, target, args = {} } = this.#options;
    const explicit = this.#options.platform !== undefined;
    const platforms = { target: platform, build: this.#bench.session.platform, explicit };
    const bases = new Map<string, ContainerImageConfig>();
    const options: ResolveOptions = { platforms, buildArgs: new Map(Object.entries(args)), bases, ...(target !== undefined && { target }) };
    for (;;) {
      const graph = resolveStages(this.#dockerfile, options);
      if (graph.missing.length === 0) return graph;
      await Promise.all(
        graph.missing.map(async (origin) => {
          bases.set(sourceKey(origin), (await this.#image(origin)).config as ContainerImageConfig);
        }),
      );
    }
  }

  #image(origin: BaseOrigin): Promise<BuildBase> {
    if (origin.kind === "context") throw notYet(`the named context ${origin.name}`);
    const { reference, platform } = origin;
    const { session, signal } = this.#bench;
    const key = sourceKey(origin);
    const known =
      this.#images.get(key) ??
      told(this.#bench, `FROM ${reference}`, () => session.image(reference, { platform, pull: this.#options.pull ?? "missing", signal }));
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
    return buildStage(this.#bench, stage, await this.#origin(stage.stage.base), {
      dockerfile: this.#dockerfile,
      options: this.#options,
      context: () => this.#open(),
      foreign: (origin) => this.#origin(origin),
    });
  }

  async #origin(origin: Origin): Promise<Built> {
    if (origin.kind === "scratch") return nothing;
    if (origin.kind === "stage") return this.#build(origin.index);
    const { digest, config, layers } = await this.#image(origin);
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

  #open(): Promise<Context> {
    const { context } = this.#options;
    if (context === undefined)
      throw new RamekinError("FAILED_PRECONDITION", "there is no build context to copy from", { hint: "give a directory" });
    this.#context ??= openContext(context, this.#path);
    return this.#context;
  }
}
