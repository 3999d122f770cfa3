import { type Cancellable, RamekinError, type Signal } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { unlessCancelled } from "./obey.ts";
import type { Scope } from "./scope.ts";
import { parseSignal, signalNumber } from "./signals.ts";
import { currentState, isLive } from "./store/containers.ts";

/** See `Container.kill`. FAILED_PRECONDITION when nothing runs: a signal that went nowhere must not look delivered. */
export async function kill(scope: Scope, config: ContainerConfig, signal: Signal = "SIGKILL", options: Cancellable = {}): Promise<void> {
  const named = parseSignal(signal);
  const { status } = await currentState(scope, config);
  if (!isLive(status)) throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is not running`);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  unlessCancelled(options, `sending ${named} to container ${config.name}`);
  tell(scope, config, "kill", { signal: String(signalNumber(named)) }); // first: what comes of it must not stand before it
  await isolation.kill(config.id, named, { final: isMeantToEnd(config, named) });
}

/** As Docker: any signal, unless the container has a stop signal of its own and this is another one. */
function isMeantToEnd({ options, stopSignal }: ContainerConfig, signal: Signal): boolean {
  return options.stopSignal === undefined || signal === stopSignal || signal === "SIGKILL";
}
