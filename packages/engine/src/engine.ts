import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Plugin, RamekinError } from "@ramekin/core";
import type { ContainerOptions, Engine, EngineOptions, PullProgress, PushProgress, StatsOptions } from "./api.ts";
import { loadConfig, preferences } from "./config.ts";
import { containerHandle } from "./container.ts";
import { create, type Prepared } from "./create.ts";
import type { EngineEvent, EventOptions } from "./event.ts";
import { hostFiles } from "./host-files.ts";
import { createKernel, type Kernel } from "./kernel/kernel.ts";
import { obeying } from "./obey.ts";
import { hostPlatform } from "./platform.ts";
import { attempt, type Scope } from "./scope.ts";
import { secretVerbs } from "./secret/verbs.ts";
import { findContainer } from "./store/containers.ts";
import { appendEvent } from "./store/journal.ts";
import { readJournal } from "./store/journal-reader.ts";
import { openStore } from "./store/layout.ts";
import { type Paths, pathsOf } from "./store/paths.ts";
import { volumeVerbs } from "./volume/verbs.ts";
import { work } from "./work.ts";

export interface CreateEngineOptions extends EngineOptions {
  /** Canonical image name to the directory of an OCI layout that holds it: needs no registry. */
  readonly embedded?: Readonly<Record<string, string>>;
  /** The process's own when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** An engine over these plugins. Touches nothing until it is asked something, except a configuration file that may say where to look. */
export async function createEngine(plugins: readonly Plugin[], options: CreateEngineOptions = {}): Promise<Engine> {
  const { environment = process.env } = options;
  let file: ReturnType<typeof loadConfig> | undefined;
  const config = () => (file ??= loadConfig(environment));
  const paths = await findStore(options, environment, config);
  const life = new AbortController();
  const warn = options.onWarning ?? ((message: string) => process.emitWarning(message, "RamekinWarning"));
  const kernel = createKernel(plugins, {
    root: paths.root,
    runRoot: paths.runRoot,
    signal: options.signal ? AbortSignal.any([options.signal, life.signal]) : life.signal,
    warn,
    preference: preferences(options.drivers ?? {}, environment, config),
  });
  const policy: Scope["policy"] = async () => (await config())?.content.gc;
  return engineOver(scopeOf(paths, kernel, life.signal, warn, options.embedded ?? {}, policy), life);
}

async function findStore(
  options: EngineOptions,
  environment: NonNullable<CreateEngineOptions["environment"]>,
  config: () => ReturnType<typeof loadConfig>,
): Promise<Paths> {
  const rootless = process.geteuid?.() !== 0;
  const chosen = {
    root: options.root ?? environment["RAMEKIN_ROOT"],
    runRoot: options.runRoot ?? environment["RAMEKIN_RUNROOT"],
  };
  if (!chosen.root || !chosen.runRoot) {
    const content = (await config())?.content;
    chosen.root ||= content?.root;
    chosen.runRoot ||= content?.runroot;
  }
  const home = () => environment["XDG_DATA_HOME"] || join(environment["HOME"] || homedir(), ".local", "share");
  const root = chosen.root || (rootless ? join(home(), "ramekin") : "/var/lib/ramekin");
  // Without a runtime directory of one's own, below root: a name in /tmp could be somebody else's. What a reboot voids says so itself.
  const runtime = environment["XDG_RUNTIME_DIR"];
  const runRoot = chosen.runRoot || (!rootless ? "/run/ramekin" : runtime ? join(runtime, "ramekin") : join(root, "run"));
  return pathsOf(resolve(root), resolve(runRoot));
}

function scopeOf(
  paths: Paths,
  kernel: Kernel,
  signal: AbortSignal,
  warn: Scope["warn"],
  embedded: Scope["embedded"],
  policy: Scope["policy"],
): Scope {
  let opening: Promise<void> | undefined;
  return {
    paths,
    kernel,
    signal,
    platform: hostPlatform(),
    embedded,
    policy,
    warn,
    opened: () => {
      opening ??= openStore(paths).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    emit(type, action, id, attributes = {}) {
      try {
        appendEvent(paths.events, { type, action, id, attributes });
      } catch (error) {
        warn(`writing down the event ${action}: ${(error as Error).message}`);
      }
    },
  };
}

/** A module of its own, loaded when somebody reads. */
async function* exportImage(scope: Scope, ...rest: Parameters<Engine["exportImage"]>) {
  yield* (await import("./export-image.ts")).exportImage(scope, ...rest);
}

/** From the call on, not from the first `next`: so where the journal ends is looked up at once. */
function listen(scope: Scope, options: EventOptions = {}): AsyncIterable<EngineEvent> {
  const reader = readJournal(scope.paths.events, { fromEnd: true });
  return (async function* () {
    yield* (await import("./events.ts")).events(scope.paths.events, reader, scope.signal, options);
  })();
}

async function* statsRows(scope: Scope, options: StatsOptions | undefined) {
  yield* (await import("./stats-rows.ts")).statsRows(scope, options);
}

async function* imageChanges(scope: Scope, ...rest: Parameters<Engine["imageChanges"]>) {
  yield* (await import("./image-changes.ts")).imageChanges(scope, ...rest);
}

/** Of a blob's state only the newest numbers are of interest. */
const ofBlob = ({ digest, status }: PullProgress | PushProgress) => `${digest} ${status}`;

/** Verbs that change nothing. */
const looks = [
  ...(["images", "image", "history", "platforms", "mountedImages", "container", "containers", "explain"] as const),
  ...(["diskUsage", "buildCache", "doctor", "info", "account"] as const),
] as const;

function engineOver(scope: Scope, life: AbortController): Engine {
  const made = (prepared: Prepared, drains = false) => containerHandle(scope, prepared.config, { prepared, owned: true, drains });
  const engine: Engine = {
    root: scope.paths.root,
    runRoot: scope.paths.runRoot,
    hostFiles: obeying({ ...hostFiles }, ["look"]),
    volumes: volumeVerbs(scope),
    secrets: secretVerbs(scope),
    pull: (reference, options) => work(options, ofBlob, async (given) => (await import("./pull.ts")).pull(scope, reference, given)),
    load: (source, options) => work(options, ofBlob, async (given) => (await import("./load.ts")).load(scope, source, given)),
    unpack: async (image, options) => (await import("./unpack.ts")).unpack(scope, image, options),
    images: async (options) => (await import("./images.ts")).listImages(scope, options),
    image: async (name, options) => (await import("./images.ts")).inspectImage(scope, name, options),
    tag: async (source, target, options) => (await import("./tag.ts")).tag(scope, source, target, options),
    removeImage: async (name, options) => (await import("./remove-image.ts")).removeImage(scope, name, options),
    referrers: async (reference, options) => (await import("./referrers.ts")).referrers(scope, reference, options),
    remoteTags: async (repository, options) => (await import("./remote-tags.ts")).remoteTags(scope, repository, options),
    push: (reference, options) => work(options, ofBlob, async (given) => (await import("./push.ts")).push(scope, reference, given)),
    save: (names, target, options) => work(options, ofBlob, async (given) => (await import("./save.ts")).save(scope, names, target, given)),
    import: async (source, options) => (await import("./import.ts")).importImage(scope, source, options),
    exportImage: (name, options) => exportImage(scope, name, options),
    squashImage: async (name, options) => (await import("./squash-image.ts")).squashImage(scope, name, options),
    history: async (name, options) => (await import("./history.ts")).history(scope, name, options),
    imageChanges: (name, base, options) => imageChanges(scope, name, base, options),
    platforms: async (name, options) => (await import("./platforms.ts")).imagePlatforms(scope, name, options),
    mountImage: async (name, options) => (await import("./mount-image.ts")).mountImage(scope, name, options),
    mountedImages: async () => (await import("./mount-image.ts")).mountedImages(scope),
    unmountImage: async (name) => (await import("./mount-image.ts")).unmountImage(scope, name),
    pruneImages: async (options) => (await import("./prune-images.ts")).pruneImages(scope, options),
    inspectManifest: async (reference, options) => (await import("./manifest/inspect.ts")).inspectManifest(scope, reference, options),
    createManifestList: async (name, members, options) =>
      (await import("./manifest/create.ts")).createManifestList(scope, name, members, options),
    annotateManifest: async (list, member, platform, options) =>
      (await import("./manifest/annotate.ts")).annotateManifest(scope, list, member, platform, options),
    pushManifestList: async (name, options) => (await import("./manifest/push.ts")).pushManifestList(scope, name, options),
    removeManifestList: async (name, options) => (await import("./manifest/remove.ts")).removeManifestList(scope, name, options),
    login: async (registry, options) => (await import("./accounts.ts")).login(scope, registry, options),
    logout: async (registry, options) => (await import("./accounts.ts")).logout(scope, registry, options),
    account: async (registry, options) => (await import("./accounts.ts")).account(scope, registry, options),
    create: async (options) => made(await create(scope, options)),
    run: async (options: ContainerOptions) => {
      const container = made(await create(scope, options), true);
      try {
        await container.start({ attach: true, signal: options.signal, ...(options.windowSize && { windowSize: options.windowSize }) });
      } catch (error) {
        // Nobody has got a handle to remove it by.
        await attempt(scope, `removing container ${container.name}`, async () => container[Symbol.asyncDispose]());
        throw error;
      }
      return container;
    },
    explain: async (options) => (await import("./explain.ts")).explain(scope, options),
    container: async (nameOrId) => containerHandle(scope, await findContainer(scope.paths, nameOrId)),
    startAll: async (options) => (await import("./start-all.ts")).startAll(scope, options),
    containers: async (options) => (await import("./list.ts")).listContainers(scope, options),
    stats: (options) => statsRows(scope, options),
    prune: async (options) => (await import("./prune.ts")).prune(scope, options),
    pruneContainers: async (options) => (await import("./prune-containers.ts")).pruneContainers(scope, options),
    diskUsage: async (options) => (await import("./disk-usage.ts")).diskUsage(scope, options),
    gc: async (policy, options) => (await import("./gc.ts")).gc(scope, policy, options),
    check: (options) =>
      work(
        options,
        () => "bytes",
        async (given) => (await import("./check.ts")).check(scope, given),
      ),
    openBuild: async (options) => (await import("./build/session.ts")).openBuild(scope, options),
    buildCache: async (options) => (await import("./build/usage.ts")).listBuildCache(scope, options),
    pruneBuilds: async (options) => (await import("./build/prune.ts")).pruneBuilds(scope, options),
    events: (options) => listen(scope, options),
    doctor: async () => (await import("./doctor.ts")).doctor(scope),
    info: async () => (await import("./info.ts")).info(scope),
    async [Symbol.asyncDispose]() {
      life.abort(new RamekinError("CANCELLED", "the engine was closed"));
      await scope.kernel[Symbol.asyncDispose]();
    },
  };
  return obeying(engine, looks);
}
