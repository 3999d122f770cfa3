import { type Cancellable, type ExitStatus, RamekinError, type Signal } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { cancellable } from "./obey.ts";
import type { Scope } from "./scope.ts";
import { signalNumber } from "./signals.ts";
import { currentState } from "./store/containers.ts";
import { notStarted, wait } from "./wait.ts";

export interface StopOptions extends Cancellable {
  /** Seconds; negative: as long as it takes. */
  readonly timeout?: number;
  readonly stopSignal?: Signal;
}

/** See `Container.stop`. One that has ended is left as it is. `exit` is a question that was put earlier, if there is one. */
export async function stop(
  scope: Scope,
  config: ContainerConfig,
  options: StopOptions = {},
  exit?: Promise<ExitStatus>,
): Promise<ExitStatus> {
  const { id, name } = config;
  const { status, state } = await currentState(scope, config);
  if (state.exit) return state.exit;
  if (state.liveness === "never-started") throw notStarted(config);
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);

  // Asked before the signal goes out: a container that removes itself leaves nobody to answer.
  const ended = (mayRunAgain(config) ? undefined : exit) ?? wait(scope, config, options);
  ended.catch(() => {});
  const signal = options.stopSignal ?? config.stopSignal;
  tell(scope, config, "kill", { signal: String(signalNumber(signal)) });
  await isolation.kill(id, signal, { final: true });
  if (status === "paused") await resume(isolation.resume?.bind(isolation), id); // a frozen process gets no signal
  const seconds = options.timeout ?? config.stopTimeout;
  if (seconds >= 0 && !(await settlesWithin(cancellable(ended, options, `stopping ${name}`), seconds * 1000))) {
    tell(scope, config, "kill", { signal: String(signalNumber("SIGKILL")) });
    await isolation.kill(id, "SIGKILL", { all: true, final: true });
  }
  const result = await cancellable(ended, options, `stopping ${name}`);
  tell(scope, config, "stop");
  return result;
}

/** An earlier question was for the end of an earlier run. */
const mayRunAgain = ({ options: { restartPolicy, health } }: ContainerConfig) =>
  (restartPolicy?.name ?? "no") !== "no" || health?.onFailure === "restart";

async function resume(driver: ((id: string) => Promise<void>) | undefined, id: string): Promise<void> {
  if (!driver) throw new RamekinError("UNSUPPORTED", `the isolation driver of ${id} cannot resume what is paused`);
  await driver(id);
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = Promise.withResolvers<false>();
  const timeout = setTimeout(() => timer.resolve(false), milliseconds);
  try {
    return await Promise.race([promise.then(() => true as const), timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
