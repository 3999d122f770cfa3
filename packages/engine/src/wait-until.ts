import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cancellable, RamekinError } from "@ramekin/core";
import type { ContainerConfig, Readiness } from "./api.ts";
import { logs } from "./logs.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { wait } from "./wait.ts";

/** Between two looks: nobody tells us. */
const lookMs = 50;

/** See `Container.waitUntil`. */
export async function waitUntil(
  scope: Scope,
  config: ContainerConfig,
  condition: Readiness,
  options: Cancellable & { readonly timeoutMs?: number } = {},
): Promise<void> {
  if (condition.is === "healthy" && !config.health)
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} has no health check and cannot become healthy`, {
      hint: "--health-cmd of run gives it one, or HEALTHCHECK in its image",
    });
  const timeout = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...timeout, ...(options.signal ? [options.signal] : [])]);
  try {
    await attempts(scope, config, condition, signal);
  } catch (error) {
    if (!timeout[0]?.aborted || options.signal?.aborted) throw error;
    const seconds = (options.timeoutMs ?? 0) / 1000;
    throw new RamekinError("TIMEOUT", `${seconds} s have passed, and container ${config.name} has not ${inWords(condition)}`, {
      cause: error,
    });
  } finally {
    over.abort(); // what still looks
  }
}

async function attempts(scope: Scope, config: ContainerConfig, condition: Readiness, signal: AbortSignal): Promise<void> {
  if (condition.is === "ended") return void (await wait(scope, config, { signal }));
  if (condition.is === "logged") {
    // What a container wrote before it ended counts: so the log has the last word.
    for await (const { line } of logs(scope, config, { follow: true, signal })) {
      if (condition.pattern.test(Buffer.from(line).toString())) return;
    }
    signal.throwIfAborted();
    throw await ended(scope, config, condition);
  }
  for (;;) {
    signal.throwIfAborted();
    const { status, state } = await currentState(scope, config);
    if (status !== "running" && status !== "paused" && status !== "restarting") throw await ended(scope, config, condition);
    if (condition.is === "healthy" && state.file?.health?.status === "healthy") return;
    if (condition.is === "listening" && status === "running" && (await listens(state.file?.pid, condition.port))) return;
    await sleep(lookMs, undefined, { signal });
  }
}

async function ended(scope: Scope, config: ContainerConfig, condition: Readiness): Promise<RamekinError> {
  const { state } = await currentState(scope, config);
  const how = state.exit ? `ended with exit code ${state.exit.code}` : "does not run";
  return new RamekinError("FAILED_PRECONDITION", `container ${config.name} ${how} before it had ${inWords(condition)}`, {
    hint: `\`ramekin logs ${config.name}\` shows what it has written`,
  });
}

function inWords(condition: Readiness): string {
  switch (condition.is) {
    case "healthy":
      return "become healthy";
    case "listening":
      return `listened on port ${condition.port}`;
    case "logged":
      return `written a line like ${condition.pattern}`;
    case "ended":
      return "ended";
  }
}

/** In the network namespace of that process, proc(5): `sl local_address rem_address st …`, the address as HEX:PORT, state 0A being LISTEN. */
async function listens(pid: number | undefined, port: number): Promise<boolean> {
  if (pid === undefined) return false;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["tcp", "tcp6"]) {
    const text = await readFile(`/proc/${pid}/net/${table}`, "utf8").catch(() => ""); // it has just ended, or there is no IPv6
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      if (state === "0A" && local.endsWith(wanted)) return true;
    }
  }
  return false;
}
