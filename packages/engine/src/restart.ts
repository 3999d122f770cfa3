import { type ExitStatus, type IsolationBackend, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { joinNamespaces } from "./join-namespaces.ts";
import type { Scope } from "./scope.ts";
import { type Started, sharesNamespaces, start } from "./start.ts";
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
    if (config.options.autoRemove) return restartInPlace(scope, config, options);
    // Before anything is stopped for nothing.
    if (sharesNamespaces(config)) await joinNamespaces(scope, config);
    await stop(scope, config, options, exit);
  }
  const started = await start(scope, config, { signal: options.signal });
  tell(scope, config, "restart");
  return started;
}

/** Its end would take everything away: only its supervisor can have it run again without one. */
async function restartInPlace(scope: Scope, config: ContainerConfig, options: StopOptions): Promise<Started> {
  const isolation: IsolationBackend = await scope.kernel.use("isolation", config.isolation.driver);
  if (!isolation.restart) {
    throw new RamekinError("UNSUPPORTED", `container ${config.name} cannot be restarted: it is removed when it ends`, {
      hint: `isolation ${config.isolation.driver} can start only what stays; leave out --rm`,
    });
  }
  const signal = options.stopSignal ?? config.stopSignal;
  tell(scope, config, "kill", { signal });
  const timeoutMs = (options.timeout ?? config.stopTimeout) * 1000;
  await isolation.restart(config.id, { signal, timeoutMs }, { signal: options.signal });
  tell(scope, config, "restart");
  const exit = isolation.wait(config.id, { signal: scope.signal });
  exit.catch(() => {}); // whoever waits hears of it
  return { exit };
}
