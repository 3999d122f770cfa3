import { isRamekinError } from "@ramekin/core";
import type { ContainerInfo } from "./api.ts";
import { parallel } from "./parallel.ts";
import { attempt, type Scope } from "./scope.ts";
import { allIds, type Current, currentState, isLive, readConfigIfThere } from "./store/containers.ts";
import type { ContainerPaths } from "./store/paths.ts";
import { exitStatusOf, readState } from "./store/state.ts";

/** See `Engine.containers`. One that cannot be read is told of and left out: it must not hide the others. */
export async function listContainers(
  scope: Scope,
  options: { readonly all?: boolean; readonly size?: boolean } = {},
): Promise<readonly ContainerInfo[]> {
  await scope.opened();
  const found = await parallel(await allIds(scope.paths), 32, async (id): Promise<ContainerInfo | undefined> => {
    let info: ContainerInfo | undefined;
    // Most are stopped, on a machine with many: one small file says so, and the other is not read.
    if (!options.all && (await isOver(scope.paths.container(id)))) return undefined;
    await attempt(scope, `reading container ${id.slice(0, 12)}`, async () => {
      const config = await readConfigIfThere(scope.paths, id); // none while it is being made
      if (config) info = containerInfo(await currentState(scope, config).catch(unlessGone));
    });
    return info;
  });
  const listed = found
    .filter((info) => info !== undefined)
    .filter(({ status }) => options.all || isLive(status))
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  return options.size ? (await import("./container-size.ts")).withSizes(scope, listed) : listed;
}

/** It does not run. Whoever cannot tell says no, and the whole look says why. */
async function isOver(paths: ContainerPaths): Promise<boolean> {
  const { liveness } = await readState(paths).catch(() => ({ liveness: "lost" }));
  return liveness === "ended" || liveness === "never-started";
}

function unlessGone(error: unknown): undefined {
  if (!isRamekinError(error, "NOT_FOUND")) throw error;
}

export function containerInfo(current: Current | undefined): ContainerInfo | undefined {
  if (!current) return undefined;
  const { config, status, state } = current;
  const { file, exit } = state;
  const runs = status === "running" || status === "paused";
  const ended = exit ?? (status === "restarting" && file?.exit ? exitStatusOf(file) : undefined);
  const health = file?.health?.status;
  return {
    id: config.id,
    name: config.name,
    image: config.image.name,
    imageId: config.image.descriptor.digest,
    command: config.process.args,
    createdAt: new Date(config.createdAt),
    ...(file?.startedAt !== undefined && { startedAt: new Date(file.startedAt) }),
    status,
    ...(runs && file?.pid !== undefined && { pid: file.pid }),
    ...(ended && { exit: ended }),
    ...(health && { health }),
    labels: config.options.labels ?? {},
    network: config.network.driver,
    isolation: config.isolation.driver,
    ...(config.options.annotations && { annotations: config.options.annotations }),
    ...(config.options.expose && { expose: config.options.expose }),
    mounts: config.mounts ?? [],
  };
}
