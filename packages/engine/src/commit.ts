import { type ByteStream, type Cancellable, type DiffID, isRamekinError, RamekinError } from "@ramekin/core";
import { applyChange, type ContainerImageConfig, type ImageRunConfig, putName, putUnnamed } from "@ramekin/oci";
import type { CommitOptions, ContainerConfig, ImageInfo } from "./api.ts";
import { mountTargets } from "./container-changes.ts";
import { tell } from "./container-event.ts";
import { isEmptyLayer, storeDerived } from "./derived-image.ts";
import { blobsOf, contentOf, type OpenedImage, openImage } from "./image.ts";
import { describeImage } from "./images.ts";
import { nameFrom, type StoredLayer, storeLayer } from "./import.ts";
import { pause, unpause } from "./pause.ts";
import { configuredEnv } from "./process.ts";
import { rootMounts } from "./root-directory.ts";
import { attempt, type Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { changeImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";
import { openViews } from "./view.ts";

/** See `Container.commit`. The name comes last: until then a lease keeps what is there of the image. */
export async function commit(scope: Scope, config: ContainerConfig, options: CommitOptions = {}): Promise<ImageInfo> {
  const name = options.name === undefined ? undefined : nameFrom(options.name, "commit");
  const changes = (options.changes ?? []).reduce<ImageRunConfig>(applyChange, {});
  await scope.opened();
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);
  const { descriptor, name: from } = config.image;
  const image = await openImage(blobsOf(content), descriptor, config.options.platform ?? scope.platform, from, options);

  const tar = changedFiles(scope, config, options);
  const stored = await whilePaused(scope, config, options.pause ?? true, () =>
    storeLayer(scope, content, lease, { format: undefined, bytes: tar }, options),
  );
  const root = await storeDerived(content, lease, image.manifest, {
    below: image.manifest.layers,
    layer: stored,
    config: committedConfig(image, config, stored, changes, options),
  });
  await changeImages(scope.paths, (index) => (name === undefined ? putUnnamed(index, root) : putName(index, name, root)), options);
  tell(scope, config, "commit", { comment: options.message ?? "", imageID: root.digest, imageRef: options.name ?? "" });
  return describeImage(scope, root, name, options);
}

async function* changedFiles(scope: Scope, config: ContainerConfig, options: Cancellable): ByteStream {
  await using views = await openViews(scope, { ...options, storage: config.storage.driver });
  const differ = views.storage.differ ?? (await scope.kernel.use("differ"));
  const lower = await views.mounts(config.image.chainId || undefined);
  const targets = await mountTargets(scope, config);
  yield* differ.diff(lower, await rootMounts(scope.paths, views.storage, config), { signal: options.signal, targets });
}

/** Goes on as it was, whatever becomes of the work. */
async function whilePaused<T>(scope: Scope, config: ContainerConfig, wanted: boolean, work: () => Promise<T>): Promise<T> {
  const { status } = await currentState(scope, config);
  if (status === "removing" || status === "dead")
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is ${status}: it cannot be committed`);
  if (!wanted || status !== "running") return work();
  let still: AsyncDisposable;
  try {
    still = await holdStill(scope, config);
  } catch (error) {
    if (isRamekinError(error, "FAILED_PRECONDITION")) return work(); // it has ended meanwhile, or somebody else has paused it
    throw error;
  }
  try {
    return await work();
  } finally {
    await attempt(scope, `resuming container ${config.name}`, async () => still[Symbol.asyncDispose]());
  }
}

/** Where the driver can, for as long as this process lives: a SIGKILL must not leave it frozen. */
async function holdStill(scope: Scope, config: ContainerConfig): Promise<AsyncDisposable> {
  const { hold } = await scope.kernel.use("isolation", config.isolation.driver);
  if (!hold) {
    await pause(scope, config);
    return { [Symbol.asyncDispose]: () => unpause(scope, config) };
  }
  const held = await hold(config.id);
  tell(scope, config, "pause");
  return {
    async [Symbol.asyncDispose]() {
      await held[Symbol.asyncDispose]();
      tell(scope, config, "unpause");
    },
  };
}

function committedConfig(
  { config: base }: OpenedImage,
  container: ContainerConfig,
  layer: StoredLayer,
  changes: ImageRunConfig,
  { author, message }: CommitOptions,
): ContainerImageConfig {
  const created = new Date().toISOString();
  const ran = containerRun(base.config ?? {}, container);
  const { author: _, comment: __, ...kept } = base;
  return {
    ...kept,
    created,
    ...(author !== undefined && author !== "" && { author }),
    config: merged(changes, ran),
    rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, ...(isEmptyLayer(layer) ? [] : [layer.diffID as DiffID])] },
    history: [
      ...(base.history ?? []),
      {
        created,
        ...(author !== undefined && author !== "" && { author }),
        created_by: (ran.Cmd ?? []).join(" "),
        ...(message !== undefined && message !== "" && { comment: message }),
        ...(isEmptyLayer(layer) && { empty_layer: true }),
      },
    ],
  };
}

/** What the container runs with, as an image would say it. Triggers are for the next build of the image that has them. */
export function containerRun({ OnBuild: _, ...image }: ImageRunConfig, { options, stopSignal }: ContainerConfig): ImageRunConfig {
  const { command = [], entrypoint, env, user, workdir, labels, mounts = [] } = options;
  const nameless = mounts.filter((mount) => mount.type === "volume" && mount.source === undefined);
  const { Entrypoint = [], Cmd = [], ...rest } = image;
  const first = (entrypoint ?? Entrypoint).filter((word, index) => index > 0 || word !== "");
  const last = command.length > 0 ? command : entrypoint === undefined ? Cmd : [];
  return {
    ...rest,
    ...(first.length > 0 && { Entrypoint: first }),
    ...(last.length > 0 && { Cmd: last }),
    ...((env || image.Env) && { Env: configuredEnv(image.Env ?? [], options) }),
    ...(user !== undefined && { User: user }),
    ...(workdir !== undefined && { WorkingDir: workdir }),
    ...(labels && { Labels: labels }),
    ...(nameless.length > 0 && { Volumes: { ...image.Volumes, ...Object.fromEntries(nameless.map(({ target }) => [target, {}])) } }),
    ...(options.stopSignal !== undefined && { StopSignal: stopSignal }),
  };
}

/** Docker's `Merge` (daemon/config): what was changed wins; an entry point of its own leaves the other's command behind. */
export function merged(changes: ImageRunConfig, ran: ImageRunConfig): ImageRunConfig {
  const { Cmd, ...others } = ran;
  const changed = Object.fromEntries(
    (changes.Env ?? []).map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  return {
    ...others,
    ...(Cmd && !changes.Entrypoint && { Cmd }),
    ...changes,
    ...((ran.Env || changes.Env) && { Env: withVariables(ran.Env ?? [], changed) }),
    ...mergedMaps(changes, ran),
  };
}

function mergedMaps(changes: ImageRunConfig, ran: ImageRunConfig): ImageRunConfig {
  const both = <T>(one: Readonly<Record<string, T>> | undefined, other: typeof one) => ({ ...one, ...other });
  return {
    ...((ran.Labels || changes.Labels) && { Labels: both(ran.Labels, changes.Labels) }),
    ...((ran.ExposedPorts || changes.ExposedPorts) && { ExposedPorts: both(ran.ExposedPorts, changes.ExposedPorts) }),
    ...((ran.Volumes || changes.Volumes) && { Volumes: both(ran.Volumes, changes.Volumes) }),
  };
}

/** The later of a name wins, in the place of the first. */
function withVariables(env: readonly string[], added: Readonly<Record<string, string>>): readonly string[] {
  const all = new Map(env.map((entry) => [entry.split("=", 1)[0] as string, entry]));
  for (const [name, value] of Object.entries(added)) all.set(name, `${name}=${value}`);
  return [...all.values()];
}
