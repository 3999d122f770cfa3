import { type LogReadOptions, type LogRecord, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { wait } from "./wait.ts";

/** See `Container.logs`. */
export async function* logs(scope: Scope, config: ContainerConfig, options: LogReadOptions = {}): AsyncGenerator<LogRecord> {
  for await (const batch of logBatches(scope, config, options)) yield* batch;
}

/** See `Container.logBatches`. With `follow`, until the container has ended and all that it wrote is out. */
export async function* logBatches(
  scope: Scope,
  config: ContainerConfig,
  options: LogReadOptions = {},
): AsyncGenerator<readonly LogRecord[]> {
  const driver = await scope.kernel.use("log", config.log.driver);
  const read = driver.readBatches?.bind(driver) ?? (driver.read && oneByOne(driver.read.bind(driver)));
  if (!read) throw new RamekinError("UNSUPPORTED", `log driver ${config.log.driver} does not support reading`);
  if (!options.follow) return yield* read(config.id, options);

  const enough = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, enough.signal]) : enough.signal;
  const ended = wait(scope, config, { signal }).then(
    () => {},
    () => {}, // gone, or never started: there is nothing more to come
  );
  try {
    yield* read(config.id, { ...options, ended });
  } finally {
    enough.abort();
  }
}

const oneByOne = (read: (id: string, options: LogReadOptions) => AsyncIterable<LogRecord>) =>
  async function* (id: string, options: LogReadOptions): AsyncGenerator<readonly LogRecord[]> {
    for await (const record of read(id, options)) yield [record];
  };
