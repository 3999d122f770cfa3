import { type Cancellable, type ExitStatus, isRamekinError, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.wait`. */
export async function wait(scope: Scope, config: ContainerConfig, options: Cancellable = {}): Promise<ExitStatus> {
  const { state } = await currentState(scope, config);
  if (state.exit) return state.exit;
  if (state.liveness === "never-started") throw notStarted(config);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  try {
    return await isolation.wait(config.id, options);
  } catch (error) {
    if (isRamekinError(error, "CANCELLED") || options.signal?.aborted) throw error;
    // The supervisor has gone, killed or done: the file has the last word.
    const after = await currentState(scope, config);
    if (after.state.exit) return after.state.exit;
    throw error;
  }
}

export const notStarted = ({ name }: ContainerConfig) => new RamekinError("FAILED_PRECONDITION", `container ${name} has not been started`);
