import { type Cancellable, type HealthResult, type HealthStatus, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.checkHealth`. */
export async function checkHealth(
  scope: Scope,
  config: ContainerConfig,
  options: Cancellable = {},
): Promise<{ readonly status: HealthStatus; readonly result: HealthResult }> {
  const { name } = config;
  if (!config.health)
    throw new RamekinError("FAILED_PRECONDITION", `container ${name} has no health check`, {
      hint: "--health-cmd of run gives it one, or HEALTHCHECK in its image",
    });
  const { status } = await currentState(scope, config);
  if (status !== "running") throw new RamekinError("FAILED_PRECONDITION", `container ${name} is not running`);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  if (!isolation.checkHealth) throw new RamekinError("UNSUPPORTED", `isolation driver ${config.isolation.driver} checks no health`);
  return isolation.checkHealth(config.id, options);
}
