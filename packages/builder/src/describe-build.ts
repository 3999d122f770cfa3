import { type BuildHost, isRamekinError, type RamekinError } from "@ramekin/core";
import {
  checkDockerfile,
  type Dockerfile,
  evaluateStages,
  listTargets,
  outlineOf,
  type Range,
  type ResolveOptions,
  resolveStages,
  sourceKey,
} from "@ramekin/dockerfile";
import type { ContainerImageConfig } from "@ramekin/oci";
import type { BuildOptions, BuildWarning, Lines } from "./build-options.ts";
import { Contexts } from "./contexts.ts";
import { dockerfilePath, readable, readDockerfile } from "./read-dockerfile.ts";
import { buildWarning, linesOf } from "./warning.ts";
import type { Workbench } from "./workbench.ts";

/** What can be said of a build without building. Each method throws when the file does not allow an answer; `check` says so instead. */
export interface BuildDescription {
  /** The Dockerfile: its name and what is in it. */
  readonly file: string;
  readonly text: string;
  /** What the build checks find, in every stage unless a target was named. */
  check(): BuildCheck;
  outline(): BuildOutline;
  /** What can be built, in the order of the file. */
  targets(): readonly BuildTarget[];
}

export interface BuildCheck {
  readonly warnings: readonly BuildWarning[];
  /** What would stop the build. */
  readonly error?: RamekinError;
}

/** What the target takes. */
export interface BuildOutline {
  readonly name?: string;
  readonly description?: string;
  readonly arguments: readonly { readonly name: string; readonly value?: string; readonly description?: string; readonly lines: Lines }[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean; readonly lines: Lines }[];
  readonly ssh: BuildOutline["secrets"];
}

export interface BuildTarget {
  readonly name?: string;
  readonly description?: string;
  readonly base: string;
  readonly platform?: string;
  /** What is built when nothing is named. */
  readonly default: boolean;
  readonly lines: Lines;
}

/** Of base images that are here their configuration is known; nothing is fetched. */
export async function describeBuild(host: BuildHost, asked: BuildOptions): Promise<BuildDescription> {
  const options = readable(asked);
  const path = dockerfilePath(options);
  await using session = await host.openBuild({ signal: options.signal });
  const bench: Workbench = {
    session,
    noCache: false,
    secrets: options.secrets ?? {},
    signal: options.signal,
    tell: () => {},
    plan: () => {},
    nextStep: () => 0,
  };
  await using contexts = new Contexts(bench, options, path);
  const file = readDockerfile(await contexts.dockerfile(), options.title ?? path);
  const ignore = (await contexts.main())?.ignored;
  const resolve = await knownBases(bench, file, options, contexts);
  return {
    file: file.source.file,
    text: file.source.text,
    check() {
      const { warnings, error } = checkDockerfile(file, { ...resolve, ...(ignore && { ignore }) });
      return { warnings: warnings.map((warning) => buildWarning(file, warning)), ...(error && { error }) };
    },
    outline() {
      const graph = resolveStages(file, resolve);
      const { arguments: args, secrets, ssh, ...named } = outlineOf(graph, evaluateStages(graph));
      return { ...named, arguments: args.map(withLines), secrets: secrets.map(withLines), ssh: ssh.map(withLines) };
    },
    targets: () => listTargets(file).map(withLines),
  };
}

const withLines = <T extends { readonly range: Range }>({ range, ...rest }: T): Omit<T, "range"> & { readonly lines: Lines } => ({
  ...rest,
  lines: linesOf(range),
});

async function knownBases(
  { session, signal }: Workbench,
  file: Dockerfile,
  { args = {}, target, platforms = [] }: BuildOptions,
  contexts: Contexts,
): Promise<ResolveOptions> {
  const bases = new Map<string, ContainerImageConfig>();
  const tried = new Set<string>();
  const options: ResolveOptions = {
    platforms: { target: platforms[0] ?? session.platform, build: session.platform, explicit: platforms.length > 0 },
    buildArgs: new Map(Object.entries(args)),
    contexts: contexts.names,
    stages: contexts.stages,
    bases,
    ...(target !== undefined && { target }),
  };
  // The triggers of an image may begin with further ones.
  for (;;) {
    const missing = missingIn(file, options).filter((origin) => origin.kind === "image" && !tried.has(sourceKey(origin)));
    if (missing.length === 0) return options;
    for (const origin of missing) {
      tried.add(sourceKey(origin));
      if (origin.kind !== "image") continue;
      const base = await session.image(origin.reference, { platform: origin.platform, pull: "never", signal }).catch(unlessAbsent);
      if (base) bases.set(sourceKey(origin), base.config as ContainerImageConfig);
    }
  }
}

/** What is wrong with the file is told by whoever asks for something. */
function missingIn(file: Dockerfile, options: ResolveOptions) {
  try {
    return resolveStages(file, { ...options, all: options.target === undefined }).missing;
  } catch (error) {
    if (isRamekinError(error)) return [];
    throw error;
  }
}

function unlessAbsent(error: unknown): undefined {
  if (isRamekinError(error, "NOT_FOUND") || isRamekinError(error, "UNSUPPORTED")) return undefined;
  throw error;
}
