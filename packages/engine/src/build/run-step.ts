import { chmod, chown, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildMount, type BuildRun, type Cancellable, type ChainID, RamekinError, type RanStep, type Stack } from "@ramekin/core";
import { createHasher } from "@ramekin/native";
import type { ContainerMount, ContainerOptions } from "../api.ts";
import { containerHandle } from "../container.ts";
import { mountTargets } from "../container-changes.ts";
import { create, type Prepared } from "../create.ts";
import { attempt } from "../scope.ts";
import { lockFile, tryLockFile } from "../store/lock.ts";
import type { Session } from "./session.ts";

/** See `BuildSession.run`: a container whose image is the stack, with nothing of an image's own that is not asked for. */
export async function runStep(session: Session, stack: Stack, step: BuildRun, options: Cancellable): Promise<RanStep> {
  const { scope, storage } = session;
  await using provided = await provide(session, step.mounts, options.signal);
  const below = await session.chain(stack);
  const { os, architecture } = session.platform;
  const config = {
    architecture,
    os,
    config: { Env: step.env, WorkingDir: step.workdir, ...(step.user !== undefined && { User: step.user }) },
    rootfs: { type: "layers" as const, diff_ids: stack.map(({ diffID }) => diffID) },
  };
  const { manifest } = await session.store(config, stack);
  const prepared = await create(scope, containerOptions(manifest.digest, step, provided.mounts, options), {
    image: { descriptor: manifest },
    prepare: (_, key) => storage.prepare(key, below, options),
  });
  await using container = containerHandle(scope, prepared.config, { prepared, owned: true });
  await container.start({ attach: true, signal: options.signal });
  const pass = async (stream: "stdout" | "stderr") => {
    for await (const bytes of container[stream]) step.onOutput(stream, bytes);
  };
  const [{ code, error }] = await Promise.all([container.wait(options), pass("stdout"), pass("stderr")]);
  if (error !== undefined) throw new RamekinError("UNAVAILABLE", `${step.args.join(" ")}: ${error}`);
  if (code !== 0) return { code };
  const layer = await changed(session, prepared, below, provided.targets, options);
  return { code, ...(layer && { layer }) };
}

function containerOptions(image: string, step: BuildRun, mounts: readonly ContainerMount[], { signal }: Cancellable): ContainerOptions {
  const [program = "", ...rest] = step.args;
  return {
    image,
    entrypoint: [program],
    command: rest,
    network: step.network,
    hostname: "build",
    mounts,
    pull: "never",
    signal,
  };
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
      else mounts.push(await secretMount(session, mount, index, held));
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

async function cacheMount(
  { scope }: Session,
  mount: BuildMount & { readonly type: "cache" },
  held: AsyncDisposableStack,
  signal: AbortSignal | undefined,
): Promise<ContainerMount> {
  const hasher = createHasher("sha256");
  hasher.update(Buffer.from(mount.id));
  const folder = join(scope.paths.buildCache, "mounts", Buffer.from(hasher.digest()).toString("hex"));
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
      await chown(source, mount.uid, mount.gid);
      await chmod(source, mount.mode);
    }
    return { ...options, source };
  }
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
  { target, env, value, mode, uid, gid }: BuildMount & { readonly type: "secret" },
  index: number,
  held: AsyncDisposableStack,
): Promise<ContainerMount> {
  if (target === undefined || env !== undefined)
    throw new RamekinError("UNSUPPORTED", `a secret in the environment (env=${env}) is not there yet`, {
      hint: "mount it as a file: target=PATH",
    });
  const folder = join(scope.paths.builds, lease.id);
  const source = join(folder, String(index));
  held.defer(() => attempt(scope, `removing ${source}`, () => rm(source, { force: true })));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(source, value, { mode: 0o600 });
  await chown(source, uid, gid);
  await chmod(source, mode);
  return { type: "bind", source, target, readOnly: true };
}
