import { type Attachment, type Cancellable, type ExitStatus, isRamekinError } from "@ramekin/core";
import type { Container, ContainerConfig } from "./api.ts";
import type { Prepared } from "./create.ts";
import { notify } from "./kernel/hooks.ts";
import { cancellable, obeying } from "./obey.ts";
import type { Scope } from "./scope.ts";
import type { Started } from "./start.ts";
import { tap } from "./streams.ts";

export interface HandleOptions {
  /** From `create`: saves the first `start` its reading. */
  readonly prepared?: Prepared;
  /** Disposal removes the container. */
  readonly owned?: boolean;
  /** `wait` takes in the output that nobody has begun to read: without a reader, a process with much to say would never end. */
  readonly drains?: boolean;
}

/** See `Container`. Each verb is loaded when it is used: a start should not pay for what it does not do. */
export function containerHandle(
  scope: Scope,
  config: ContainerConfig,
  { prepared, owned = false, drains = false }: HandleOptions = {},
): Container {
  const { id, name } = config;
  let fresh = prepared;
  let exit: Promise<ExitStatus> | undefined;
  /** As `start` made it, until somebody takes it. */
  let offered: Attachment | undefined;
  /** The one that `stdout` and `stderr` share. */
  let shared: Promise<Attachment> | undefined;

  const attach = async (options: Cancellable = {}): Promise<Attachment> => {
    const attachment = offered;
    offered = undefined;
    return attachment ?? (await import("./attach.ts")).attach(scope, config, options);
  };
  const attached = () => {
    shared ??= attach();
    return shared;
  };
  const stdout = tap("stdout", async () => (await attached()).stdout);
  const stderr = tap("stderr", async () => (await attached()).stderr);
  const tell = async (status: ExitStatus) => {
    await notify(scope.kernel.plugins, scope.warn, "stopped", { id, exit: status });
  };
  const take = (started: Started) => {
    offered = started.attachment;
    exit = started.exit;
    exit?.then(tell).catch(() => {}); // whoever waits hears of a failure
  };
  const waitFor = async (options: Cancellable): Promise<ExitStatus> => {
    if (exit) return cancellable(exit, options, `waiting for ${name}`);
    return (await import("./wait.ts")).wait(scope, config, options);
  };

  const handle: Container = {
    id,
    name,
    stdout: stdout.stream,
    stderr: stderr.stream,
    inspect: async () => (await import("./inspect.ts")).inspect(scope, config),
    async start(options = {}) {
      const { start } = await import("./start.ts");
      const before = fresh;
      fresh = undefined;
      take(await start(scope, config, options, before));
    },
    attach,
    wait: async (options = {}) => {
      if (drains && (offered || shared)) for (const output of [stdout, stderr]) output.drain();
      const told = exit !== undefined;
      const status = await waitFor(options);
      if (!told) await tell(status);
      return status;
    },
    stop: async (options = {}) => (await import("./stop.ts")).stop(scope, config, options, exit),
    async restart(options = {}) {
      const { restart } = await import("./restart.ts");
      fresh = undefined;
      take(await restart(scope, config, options, exit));
    },
    rename: async (to, options) => (await import("./rename.ts")).rename(scope, config, to, options),
    kill: async (signal, options) => (await import("./kill.ts")).kill(scope, config, signal, options),
    checkHealth: async (options) => (await import("./check-health.ts")).checkHealth(scope, config, options),
    waitUntil: async (condition, options) => (await import("./wait-until.ts")).waitUntil(scope, config, condition, options),
    update: async (changes, options) => (await import("./update.ts")).update(scope, config, changes, options),
    pause: async (options) => (await import("./pause.ts")).pause(scope, config, options),
    unpause: async (options) => (await import("./pause.ts")).unpause(scope, config, options),
    resize: async (size) => (await import("./resize.ts")).resize(scope, config, size),
    exec: async (command, options) => (await import("./exec.ts")).exec(scope, config, command, options),
    logBatches: async function* (options) {
      yield* (await import("./logs.ts")).logBatches(scope, config, options);
    },
    logs: async function* (options) {
      yield* (await import("./logs.ts")).logs(scope, config, options);
    },
    size: async () => (await import("./container-size.ts")).containerSize(scope, config),
    changes: async function* (options) {
      yield* (await import("./container-changes.ts")).containerChanges(scope, config, options);
    },
    look: async (path, options) => (await import("./copy.ts")).look(scope, config, path, options),
    copyFrom: async function* (path, options) {
      yield* (await import("./copy.ts")).copyFrom(scope, config, path, options);
    },
    copyTo: async (path, tar, options) => (await import("./copy.ts")).copyTo(scope, config, path, tar, options),
    export: async function* (options) {
      yield* (await import("./export.ts")).exportContainer(scope, config, options);
    },
    commit: async (options) => (await import("./commit.ts")).commit(scope, config, options),
    fork: async (options) => {
      const { prepared, cost } = await (await import("./fork.ts")).fork(scope, config, options);
      return { container: containerHandle(scope, prepared.config, { prepared, owned: true }), cost };
    },
    reset: async (options) => (await import("./reset.ts")).reset(scope, config, options),
    stats: async () => (await import("./stats.ts")).stats(scope, config),
    top: async (options) => (await import("./top.ts")).top(scope, config, options),
    remove: async (options) => (await import("./remove.ts")).remove(scope, config, options),
    async [Symbol.asyncDispose]() {
      await offered?.[Symbol.asyncDispose]();
      await (await shared?.catch(() => undefined))?.[Symbol.asyncDispose]();
      if (!owned) return;
      try {
        await (await import("./remove.ts")).remove(scope, config, { force: true, volumes: true });
      } catch (error) {
        if (!isRamekinError(error, "NOT_FOUND")) throw error;
      }
    },
  };
  return obeying(handle, ["inspect", "size", "stats", "top", "look"]);
}
