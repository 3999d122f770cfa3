import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type ByteStream, isRamekinError, type Mount, RamekinError } from "@ramekin/core";
import { lookAt, packTree, type TreeBind, unpackInto, type View } from "@ramekin/native";
import type { RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig, CopyFromOptions, CopyToOptions, FileInContainer, LookOptions } from "./api.ts";
import { tell } from "./container-event.ts";
import { rootMounts } from "./root-directory.ts";
import type { Scope } from "./scope.ts";
import { currentState, isLive } from "./store/containers.ts";
import { readJsonIfThere } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";
import { readVolume } from "./store/volumes.ts";

/** See `Container.look`. */
export async function look(
  scope: Scope,
  config: ContainerConfig,
  path: string,
  options: LookOptions = {},
): Promise<FileInContainer | undefined> {
  await using view = await openView(scope, config, options);
  return lookAt(view.view, absolute(path), options);
}

/** See `Container.copyFrom`. */
export async function* copyFrom(
  scope: Scope,
  config: ContainerConfig,
  path: string,
  options: CopyFromOptions = {},
): AsyncGenerator<Uint8Array> {
  await using view = await openView(scope, config, options);
  try {
    yield* packTree(view.view, absolute(path), options);
  } catch (error) {
    throw notThere(error, config, path);
  }
  tell(scope, config, "copy", { path });
}

/** See `Container.copyTo`. */
export async function copyTo(
  scope: Scope,
  config: ContainerConfig,
  path: string,
  tar: ByteStream,
  options: CopyToOptions = {},
): Promise<void> {
  await using view = await openView(scope, config, options);
  if (!view.writable(absolute(path)))
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name}: its root file system is marked read-only`);
  const user = options.chown === true ? (config.process.user ?? "0") : undefined;
  try {
    await unpackInto(view.view, absolute(path), plain(tar), { signal: options.signal, ...(user !== undefined && { user }) });
  } catch (error) {
    throw notThere(error, config, path);
  }
  tell(scope, config, "copy", { path });
}

const absolute = (path: string) => (path.startsWith("/") ? path : `/${path}`);

function notThere(error: unknown, { name }: ContainerConfig, path: string): unknown {
  if (!isRamekinError(error, "NOT_FOUND")) return error;
  return new RamekinError("NOT_FOUND", `could not find the file ${path} in container ${name}`, { cause: error });
}

interface OpenView extends AsyncDisposable {
  readonly view: View;
  writable(path: string): boolean;
}

/**
 * A running container's files as its first process sees them, mounts and all. Of another one, its root with its volumes and binds, seen by
 * nobody else; it cannot be started meanwhile, since a layer has one writer at a time.
 */
async function openView(
  scope: Scope,
  config: ContainerConfig,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<OpenView> {
  for (;;) {
    const { status, state } = await currentState(scope, config);
    const { pid, startTime } = state.file ?? {};
    if (isLive(status) && status !== "restarting" && pid !== undefined && startTime !== undefined) {
      return { view: { process: { pid, startTime } }, writable: () => true, [Symbol.asyncDispose]: async () => undefined };
    }
    if (status === "removing" || status === "dead") throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is ${status}`);
    const lock = await lockFile(scope.paths.container(config.id).lock, { exclusive: true, signal });
    try {
      if (isLive((await currentState(scope, config)).status)) {
        await lock[Symbol.asyncDispose]();
        continue;
      }
      const storage = await scope.kernel.use("storage", config.storage.driver);
      const binds = await bindsOf(scope, config);
      return {
        view: { mounts: (await rootMounts(scope.paths, storage, config)).map(lasting), binds },
        writable: (path) => !config.options.readOnly || binds.some(({ destination, readOnly }) => !readOnly && isBelow(path, destination)),
        [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }
}

const isBelow = (path: string, directory: string) => path === directory || path.startsWith(`${directory}/`);

/** A volatile layer can be mounted but once: that is for the start. */
const lasting = (mount: Mount): Mount => ({ ...mount, options: mount.options.filter((option) => option !== "volatile") });

async function bindsOf(scope: Scope, { id, mounts = [] }: ContainerConfig): Promise<readonly TreeBind[]> {
  const spec = await readJsonIfThere<RuntimeConfig>(scope.paths.container(id).spec);
  for (const { type, name = "" } of mounts) {
    const volume = type === "volume" ? await readVolume(scope.paths, name) : undefined;
    if (volume) await (await import("./volume/mount.ts")).mountVolume(scope, volume);
  }
  return (spec?.mounts ?? []).flatMap(({ destination, type, source = "", options = [] }) => {
    if (type !== "bind" || !source.startsWith("/") || /^\/(?:dev|proc|sys)(?:\/|$)/.test(destination)) return [];
    const point = mounts.find((each) => each.destination === destination);
    if (point?.overlay !== undefined) return [];
    const part = point?.subpath === undefined ? {} : { subpath: point.subpath };
    return [{ source, destination, readOnly: options.includes("ro") || options.includes("rro"), ...part }];
  });
}

/** Docker takes compressed archives, too. */
async function* plain(tar: ByteStream): AsyncGenerator<Uint8Array> {
  const iterator = tar[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  const whole = (async function* () {
    yield first.value;
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* whole;
    return;
  }
  yield* Readable.from(whole, { objectMode: false }).pipe(createGunzip());
}
