import { type ExitStatus, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import type { Scope } from "./scope.ts";
import { type Started, start } from "./start.ts";
import { type StopOptions, stop } from "./stop.ts";
import { currentState, isLive } from "./store/containers.ts";

/** See `Container.restart`. `exit` as in `stop`. */
export async function restart(
  scope: Scope,
  config: ContainerConfig,
  options: StopOptions = {},
  exit?: Promise<ExitStatus>,
): Promise<Started> {
  const { status } = await currentState(scope, config);
  if (isLive(status)) {
    // Its supervisor has the order to take everything away, and nobody can call that back.
    if (config.options.autoRemove) {
      throw new RamekinError("UNSUPPORTED", `container ${config.name} cannot be restarted: it is removed when it ends`, {
        hint: "only a container that was made without --rm is there to be started again",
      });
    }
    await stop(scope, config, options, exit);
  }
  const started = await start(scope, config, { signal: options.signal });
  tell(scope, config, "restart");
  return started;
}
