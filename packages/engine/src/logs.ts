import { type LogReadOptions, type LogRecord, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { wait } from "./wait.ts";

/** See `Container.logs`. With `follow`, until the container has ended and all that it wrote is out. */
export async function* logs(scope: Scope, config: ContainerConfig, options: LogReadOptions = {}): AsyncGenerator<LogRecord> {
  const driver = await scope.kernel.use("log", config.log.driver);
  if (!driver.read) throw new RamekinError("UNSUPPORTED", `log driver ${config.log.driver} does not support reading`);
  if (!options.follow) return yield* driver.read(config.id, options);

  const enough = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, enough.signal]) : enough.signal;
  const ended = wait(scope, config, { signal }).then(
    () => {},
    () => {}, // gone, or never started: there is nothing more to come
  );
  try {
    yield* driver.read(config.id, { ...options, ended });
  } finally {
    enough.abort();
  }
}
