import { isRamekinError } from "@ramekin/core";
import type { ContainerConfig, ContainerInfo } from "./api.ts";
import { bytesBelow } from "./inventory.ts";
import { listContainers } from "./list.ts";
import { removeLocked } from "./remove.ts";
import { attempt, type Scope } from "./scope.ts";
import { currentState, readConfigIfThere } from "./store/containers.ts";
import { tryLockFile } from "./store/lock.ts";
import type { PruneContainersOptions, PrunedContainers } from "./store-api.ts";

const stopped: ReadonlySet<string> = new Set(["created", "exited", "dead"]);

/** `run` creates, then starts: what has just been made is on its way, not left behind. */
const startMs = 5000;

/** See `Engine.pruneContainers`. One that cannot be removed is told of, and keeps nobody else. */
export async function pruneContainers(
  scope: Scope,
  { until, keep = () => false, signal }: PruneContainersOptions = {},
): Promise<PrunedContainers> {
  const containers: string[] = [];
  let reclaimed = 0;
  for (const info of await listContainers(scope, { all: true })) {
    signal?.throwIfAborted();
    if (!stopped.has(info.status) || isStarting(info) || (until && info.createdAt >= until) || keep(info)) continue;
    await attempt(scope, `removing container ${info.name}`, async () => {
      const freed = await removeIfStopped(scope, info.id);
      if (freed === undefined) return;
      containers.push(info.id);
      reclaimed += freed;
    });
  }
  scope.emit("container", "prune", "", { reclaimed: String(reclaimed) });
  return { containers, reclaimed };
}

const isStarting = ({ status, createdAt }: ContainerInfo) => status === "created" && Date.now() - createdAt.getTime() < startMs;

/** Who holds the container's lock is at work on it. Resolves with the bytes that came free. */
async function removeIfStopped(scope: Scope, id: string): Promise<number | undefined> {
  const paths = scope.paths.container(id);
  if (!(await readConfigIfThere(scope.paths, id))) return undefined;
  await using lock = await tryLockFile(paths.lock).catch((error: unknown) => {
    if (!isRamekinError(error, "NOT_FOUND")) throw error; // its directory went meanwhile
    return undefined;
  });
  const config = lock && (await readConfigIfThere(scope.paths, id));
  if (!config || !(await isStopped(scope, config))) return undefined;
  const storage = await scope.kernel.use("storage", config.storage.driver);
  const written = (await storage.usage?.(config.storage.key).catch(() => undefined))?.size ?? 0;
  const beside = await bytesBelow(paths.directory);
  await removeLocked(scope, config);
  return written + beside;
}

/** Its lock is ours, so one whose removal has failed does not look like `dead` but like `removing`. */
async function isStopped(scope: Scope, config: ContainerConfig): Promise<boolean> {
  try {
    const { status } = await currentState(scope, config);
    return stopped.has(status) || (status === "removing" && !config.options.autoRemove);
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return false;
    throw error;
  }
}
