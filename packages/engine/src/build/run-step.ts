import { chmod, chown, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuildLayer,
  type BuildMount,
  type BuildRun,
  type Cancellable,
  type ChainID,
  RamekinError,
  type RanStep,
  type Stack,
} from "@ramekin/core";
import { giveTo, unpackInto } from "@ramekin/native";
import type { ContainerMount, ContainerOptions } from "../api.ts";
import { containerHandle } from "../container.ts";
import { mountTargets } from "../container-changes.ts";
import { create, type Prepared } from "../create.ts";
import { attempt } from "../scope.ts";
import { mountFolder } from "../store/build-cache.ts";
import { lockFile, tryLockFile } from "../store/lock.ts";
import { checkRunnable } from "./emulation.ts";
import type { Session } from "./session.ts";

/** See `BuildSession.run`: a container whose image is the stack, with nothing of an image's own that is not asked for. */
export async function runStep(session: Session, stack: Stack, step: BuildRun, options: Cancellable): Promise<RanStep> {
  if (step.platform) await checkRunnable(session.platform, step.platform);
  await using provided = await provide(session, step.mounts, options.signal);
  const below = await session.chain(stack);
  const prepared = await prepare(session, stack, step, { mounts: provided.mounts, ...options });
  await using container = containerHandle(session.scope, prepared.config, { prepared, owned: true });
  await container.start({ attach: true, signal: options.signal });
  const pass = async (stream: "stdout" | "stderr") => {
    for await (const bytes of container[stream]) step.onOutput(stream, bytes);
  };
  const [{ code, error }] = await Promise.all([container.wait(options), pass("stdout"), pass("stderr")]);
  if (error !== undefined) throw new RamekinError("UNAVAILABLE", `${step.args.join(" ")}: ${error}`);
  const difference = () => changed(session, prepared, below, provided.targets, options);
  if (code !== 0) {
    if (step.onFailure) await failed(session, stack, step, { code, difference, mounts: provided.mounts, ...options });
    return { code };
  }
  const layer = await difference();
  return { code, ...(layer && { layer }) };
}

type Furnished = Cancellable & { readonly mounts: readonly ContainerMount[]; readonly terminal?: { readonly tty: boolean } };

/** A container of the stack, with the configuration of the step. */
async function prepare(session: Session, stack: Stack, step: BuildRun, { mounts, terminal, signal }: Furnished): Promise<Prepared> {
  const { os, architecture } = session.platform;
  const below = await session.chain(stack);
  const config = {
    architecture,
    os,
    config: { Env: step.env, WorkingDir: step.workdir, ...(step.user !== undefined && { User: step.user }) },
    rootfs: { type: "layers" as const, diff_ids: stack.map(({ diffID }) => diffID) },
  };
  const { manifest } = await session.store(config, stack);
  const options = {
    ...containerOptions(manifest.digest, step, mounts, { signal }),
    ...(terminal && { ...terminal, stdin: "once" as const }),
  };
  return create(session.scope, options, {
    image: { descriptor: manifest },
    prepare: (_, key) => session.storage.prepare(key, below, { signal }),
  });
}

/** What the program left becomes a layer, on which others may have a look. */
async function failed(
  session: Session,
  stack: Stack,
  step: BuildRun,
  { code, difference, mounts, signal }: Furnished & { readonly code: number; readonly difference: () => Promise<BuildLayer | undefined> },
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  let left: Promise<Stack> | undefined;
  await step.onFailure?.({
    code,
    async open(args, { tty = false } = {}) {
      left ??= difference().then((layer) => (layer ? [...stack, layer] : stack));
      const prepared = await prepare(session, await left, { ...step, args }, { mounts, terminal: { tty }, signal });
      return opened.use(containerHandle(session.scope, prepared.config, { prepared, owned: true }));
    },
  });
}

function containerOptions(image: string, step: BuildRun, mounts: readonly ContainerMount[], { signal }: Cancellable): ContainerOptions {
  const [program = "", ...rest] = step.args;
  return {
    image,
    entrypoint: [program],
    command: rest,
    network: step.network,
    env: Object.fromEntries(step.mounts.flatMap(secretVariable)),
    ...(step.insecure && { privileged: true }),
    ...(step.devices && { devices: step.devices.map((source) => ({ source })) }),
    hostname: "build",
    mounts,
    pull: "never",
    signal,
  };
}

/** With the container, not with an image's configuration, which would be stored. */
function secretVariable(mount: BuildMount): readonly (readonly [name: string, value: string])[] {
  if (mount.type !== "secret" || mount.env === undefined) return [];
  return [[mount.env, Buffer.from(mount.value).toString("utf8")]];
}

async function changed(
  session: Session,
  { config }: Prepared,
  below: ChainID | undefined,
  targets: readonly string[],
  { signal }: Cancellable,
) {
  const mounts = await session.storage.mounts(config.storage.key);
  return session.layerOf(below, mounts, [...(await mountTargets(session.scope, config)), ...targets], signal);
}

interface Provided extends AsyncDisposable {
  readonly mounts: readonly ContainerMount[];
  readonly targets: readonly string[];
}

/** What mounts need on the host: folders of caches, secrets where a reboot forgets them. */
async function provide(session: Session, wanted: readonly BuildMount[], signal: AbortSignal | undefined): Promise<Provided> {
  const held = new AsyncDisposableStack();
  const mounts: ContainerMount[] = [];
  try {
    for (const [index, mount] of wanted.entries()) {
      if (mount.type === "tmpfs")
        mounts.push({ type: "tmpfs", target: mount.target, ...(mount.size !== undefined && { size: mount.size }) });
      else if (mount.type === "cache") mounts.push(await cacheMount(session, mount, held, signal));
      else if (mount.type === "bind") mounts.push(await bindMount(session, mount));
      else if (mount.type === "socket") mounts.push(await socketMount(mount));
      else if (mount.target !== undefined) mounts.push(await secretMount(session, { ...mount, target: mount.target }, index, held));
    }
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
  return { mounts, targets: mounts.map(({ target }) => target), [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function bindMount(
  session: Session,
  { stack, source, target, readOnly }: BuildMount & { readonly type: "bind" },
): Promise<ContainerMount> {
  const { os, architecture } = session.platform;
  const rootfs = { type: "layers" as const, diff_ids: stack.map(({ diffID }) => diffID) };
  const { manifest } = await session.store({ os, architecture, config: {}, rootfs }, stack);
  const subpath = source.replace(/^\/+/, "");
  return {
    type: "image",
    source: "files of a build",
    descriptor: manifest,
    target,
    writable: !readOnly,
    ...(subpath !== "" && { subpath }),
  };
}

/** Its owner and mode are for whoever made it to set; a proxy of the caller's listens there. */
async function socketMount({ source, target, mode, uid, gid }: BuildMount & { readonly type: "socket" }): Promise<ContainerMount> {
  await give(source, { uid, gid, mode });
  return { type: "bind", source, target };
}

async function cacheMount(
  session: Session,
  mount: BuildMount & { readonly type: "cache" },
  held: AsyncDisposableStack,
  signal: AbortSignal | undefined,
): Promise<ContainerMount> {
  const { scope } = session;
  const folder = mountFolder(scope.paths, mount.id);
  const options = { type: "bind", target: mount.target, readOnly: mount.readOnly } as const;
  for (let copy = 0; ; copy++) {
    const source = join(folder, String(copy));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = join(folder, `${copy}.lock`);
    if (mount.sharing !== "shared") {
      const taken = mount.sharing === "locked" ? await lockFile(lock, { exclusive: true, signal }) : await tryLockFile(lock);
      if (!taken) continue; // private: somebody else's; the next one is ours, or made for us
      held.use(taken);
    }
    if (await makeFolder(source)) {
      if (mount.from) await fill(session, source, mount.from, signal);
      await give(source, mount);
    }
    const now = new Date();
    await utimes(folder, now, now); // `builder prune` goes by last use
    return { ...options, source };
  }
}

/** What a new folder begins with; one that could not be filled is none. */
async function fill(
  session: Session,
  folder: string,
  { stack, source }: { readonly stack: Stack; readonly source: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await session.view(stack, (files) => unpackInto({ directory: folder }, "/", files.pack(source, { follow: true }), { signal }), {
      signal,
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Without root the caller's own files are the step's root's already; all other ids are those of the user namespace. */
async function give(
  path: string,
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  if (process.geteuid?.() === 0) await chown(path, uid, gid);
  else if (uid !== 0 || gid !== 0) await giveTo({ directory: "/" }, `${uid}:${gid}`, path);
  await chmod(path, mode);
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function secretMount(
  { scope, lease }: Session,
  { target, value, mode, uid, gid }: BuildMount & { readonly type: "secret"; readonly target: string },
  index: number,
  held: AsyncDisposableStack,
): Promise<ContainerMount> {
  const folder = join(scope.paths.builds, lease.id);
  const source = join(folder, String(index));
  held.defer(() => attempt(scope, `removing ${source}`, () => rm(source, { force: true })));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(source, value, { mode: 0o600 });
  await give(source, { uid, gid, mode });
  return { type: "bind", source, target, readOnly: true };
}
