import { type ContainerStats, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.stats`. */
export async function stats(scope: Scope, config: ContainerConfig): Promise<ContainerStats> {
  const { status } = await currentState(scope, config);
  if (status !== "running" && status !== "paused") throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is not running`);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  if (!isolation.stats) throw new RamekinError("UNSUPPORTED", `isolation driver ${config.isolation.driver} reads no statistics`);
  return isolation.stats(config.id);
}
