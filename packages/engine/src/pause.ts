import { type Cancellable, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { unlessCancelled } from "./obey.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.pause`. */
export async function pause(scope: Scope, config: ContainerConfig, options: Cancellable = {}): Promise<void> {
  await freeze(scope, config, "running", "pause", options);
}

/** See `Container.unpause`. */
export async function unpause(scope: Scope, config: ContainerConfig, options: Cancellable = {}): Promise<void> {
  await freeze(scope, config, "paused", "resume", options);
}

async function freeze(
  scope: Scope,
  config: ContainerConfig,
  from: "running" | "paused",
  operation: "pause" | "resume",
  options: Cancellable,
): Promise<void> {
  const { status } = await currentState(scope, config);
  if (status !== from) throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is ${status}, not ${from}`);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  if (!isolation[operation])
    throw new RamekinError("UNSUPPORTED", `isolation driver ${config.isolation.driver} cannot ${operation} containers`);
  unlessCancelled(options, `${operation} of container ${config.name}`);
  await isolation[operation](config.id);
  tell(scope, config, operation === "pause" ? "pause" : "unpause");
}
