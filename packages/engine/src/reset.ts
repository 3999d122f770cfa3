import { type Cancellable, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { unlessCancelled } from "./obey.ts";
import { makeOverlay, refuseRootDirectory } from "./root-directory.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { lockFile } from "./store/lock.ts";

/**
 * See `Container.reset`. The writable layer goes and an empty one comes: a crash in between leaves a container without one, which
 * does not start, and which another reset puts right.
 */
export async function reset(
  scope: Scope,
  config: ContainerConfig,
  options: Cancellable & { readonly force?: boolean } = {},
): Promise<void> {
  const { id, name } = config;
  if (!config.options.rootDirectory?.overlay) refuseRootDirectory(config, "reset");
  await using _lock = await lockFile(scope.paths.container(id).lock, { exclusive: true, signal: options.signal });
  const { status } = await currentState(scope, config);
  const live = status === "running" || status === "paused" || status === "restarting";
  if (live && !options.force) {
    throw new RamekinError("FAILED_PRECONDITION", `cannot reset container ${name}: it is ${status}`, {
      hint: "stop it first, or reset it with --force",
    });
  }
  unlessCancelled(options, `resetting container ${name}`);
  await (await scope.kernel.use("isolation", config.isolation.driver)).delete(id, { force: true });
  if (config.options.rootDirectory) {
    await makeOverlay(scope.paths, config);
  } else {
    const storage = await scope.kernel.use("storage", config.storage.driver);
    await storage.remove(config.storage.key);
    await storage.prepare(config.storage.key, config.image.chainId || undefined);
  }
  tell(scope, config, "reset");
}
