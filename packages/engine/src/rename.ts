import { type Cancellable, isRamekinError, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { cgroupPath } from "./cgroup.ts";
import { cleanupList } from "./cleanup.ts";
import { eventAttributes, tell } from "./container-event.ts";
import type { Scope } from "./scope.ts";
import { currentState, isLive, isThere, readConfig } from "./store/containers.ts";
import { replaceFile } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";
import { checkName, moveName } from "./store/names.ts";

/** See `Container.rename`. */
export async function rename(scope: Scope, { id, name: known }: ContainerConfig, to: string, given: Cancellable = {}): Promise<void> {
  checkName(to);
  const paths = scope.paths.container(id);
  if (!(await isThere(paths.directory))) throw new RamekinError("NOT_FOUND", `no such container: ${known}`);
  await using _lock = await lockFile(paths.lock, { exclusive: true, signal: given.signal });
  const config = await readConfig(scope.paths, id); // by now others may have renamed it
  const from = config.name;
  if (from === to) throw new RamekinError("INVALID_ARGUMENT", `container ${to} has this name already`);
  const renamed = { ...config, name: to };
  const { status } = await currentState(scope, config);
  if (config.options.autoRemove && status === "removing")
    throw new RamekinError("FAILED_PRECONDITION", `container ${from} is being removed and cannot be renamed`);
  const holder = await moveName(scope.paths, from, to, id, async () => {
    if (isLive(status)) await tellSupervisor(scope, renamed, from);
    await replaceFile(paths.config, `${JSON.stringify(renamed)}\n`, { durable: !config.options.autoRemove });
  });
  if (holder !== undefined) {
    throw new RamekinError("ALREADY_EXISTS", `container name ${to} is in use by container ${holder.slice(0, 12)}`, {
      hint: `remove it with \`ramekin rm ${to}\`, or choose another name`,
    });
  }
  tell(scope, renamed, "rename", { oldName: from });
}

/**
 * Of what is removed when it ends, the supervisor takes the name away, and until the new one stands in the configuration either
 * may be the one: it lets go of both, each only while it is this container's. What it writes down has the new one.
 */
async function tellSupervisor(scope: Scope, renamed: ContainerConfig, from: string): Promise<void> {
  const { id, options } = renamed;
  const isolation = await scope.kernel.use("isolation", renamed.isolation.driver);
  if (!isolation.supervise) {
    if (!options.autoRemove) return;
    throw new RamekinError("UNSUPPORTED", `container ${from} cannot be renamed: it is removed when it ends`, {
      hint: `isolation ${renamed.isolation.driver} cannot change what it removes; one that was made without --rm can get another name`,
    });
  }
  const storage = await scope.kernel.use("storage", renamed.storage.driver);
  const cgroup = await cgroupPath(id, process.geteuid?.() !== 0, options.cgroupParent);
  try {
    await isolation.supervise(id, {
      events: { directory: scope.paths.events, attributes: eventAttributes(renamed) },
      cleanup: await cleanupList(scope.paths, renamed, storage, cgroup, [from]),
    });
  } catch (error) {
    // It has ended meanwhile: one that stays is renamed all the same.
    if (options.autoRemove || !(isRamekinError(error, "FAILED_PRECONDITION") || isRamekinError(error, "NOT_FOUND"))) throw error;
  }
}
