import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRamekinError, RamekinError } from "@ramekin/core";
import type { ContainerConfig, ContainerStatus, RemoveOptions } from "./api.ts";
import { tell } from "./container-event.ts";
import { notify } from "./kernel/hooks.ts";
import { unlessCancelled } from "./obey.ts";
import type { Scope } from "./scope.ts";
import { releaseMounts } from "./settle-mounts.ts";
import { currentState, isLive, isThere, readConfigIfThere } from "./store/containers.ts";
import { isGone } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";
import { releaseName } from "./store/names.ts";

/** See `Container.remove`. What is gone already counts as done, so a removal that failed half-way is simply done again. */
export async function remove(scope: Scope, config: ContainerConfig, options: RemoveOptions = {}): Promise<void> {
  const { id, name } = config;
  const paths = scope.paths.container(id);
  const status = await statusUnlessGone(scope, config);
  if (status !== undefined && isLive(status) && !options.force) {
    throw new RamekinError("FAILED_PRECONDITION", `cannot remove container ${name}: it is ${status}`, {
      hint: "stop it first, or remove it with force",
    });
  }
  if (!(await isThere(paths.directory))) return; // it removed itself while we looked
  await using _lock = await lockFile(paths.lock, { exclusive: true, signal: options.signal });
  unlessCancelled(options, `removing container ${name}`);
  await removeLocked(scope, config, options);
}

async function statusUnlessGone(scope: Scope, config: ContainerConfig): Promise<ContainerStatus | undefined> {
  try {
    return (await currentState(scope, config)).status;
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Under the container's lock. All steps are tried; the container stays listed, as dead, unless all succeed. */
export async function removeLocked(scope: Scope, config: ContainerConfig, options: Pick<RemoveOptions, "volumes"> = {}): Promise<void> {
  const { id, name } = config;
  const paths = scope.paths.container(id);
  const failures: RamekinError[] = [];
  const step = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      failures.push(error instanceof RamekinError ? error : new RamekinError("INTERNAL", `${what}: ${cause}`, { cause: error }));
    }
  };

  await step("marking", () => ifThere(() => writeFile(paths.removing, "")));
  await step(`ending container ${name}`, async () =>
    (await scope.kernel.use("isolation", config.isolation.driver)).delete(id, { force: true }),
  );
  if (failures.length === 0) {
    // Names before data, and what is mounted before what it is made of.
    await step(`removing the snapshot of ${name}`, async () =>
      (await scope.kernel.use("storage", config.storage.driver)).remove(config.storage.key),
    );
    const volumes = options.volumes ?? config.options.autoRemove ?? false;
    await step(`releasing the mounts of ${name}`, async () =>
      releaseMounts(scope, id, config.mounts ?? [], { volumes, storage: config.storage.driver }),
    );
    await step(`removing the log of ${name}`, async () => (await scope.kernel.use("log", config.log.driver)).remove?.(id));
    await step(`releasing the name ${name}`, async () => {
      const now = await readConfigIfThere(scope.paths, id).catch(() => undefined); // renamed since we looked, perhaps
      await releaseName(scope.paths, now?.name ?? name, id);
    });
  }
  // At once out of sight, and then away, however long that takes.
  if (failures.length === 0) await step(`removing ${paths.directory}`, () => removeDirectory(scope, id));
  const [first] = failures;
  if (first) {
    throw new RamekinError(first.code, `container ${name} could not be removed: ${first.message}`, {
      cause: first,
      errors: failures,
      ...(first.hint !== undefined && { hint: first.hint }),
    });
  }
  await notify(scope.kernel.plugins, scope.warn, "deleted", { id });
  tell(scope, config, "destroy");
}

async function removeDirectory(scope: Scope, id: string): Promise<void> {
  const gone = join(scope.paths.containers, `.gone-${id}`);
  await ifThere(() => rename(scope.paths.container(id).directory, gone));
  await rm(gone, { recursive: true, force: true });
}

async function ifThere(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
