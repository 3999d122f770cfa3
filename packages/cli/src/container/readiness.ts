import { isRamekinError, Objections, RamekinError } from "@ramekin/core";
import type { Container, Readiness } from "@ramekin/engine";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import type { FlagValues } from "../verb.ts";
import { readDuration } from "./supervision.ts";
import type { readinessFlags } from "./supervision-flags.ts";

export interface Wanted {
  readonly conditions: readonly Readiness[];
  /** For all of them together. */
  readonly timeoutMs?: number;
}

/** `--wait` and `--wait-timeout`; undefined when nothing is waited for. */
export function readReadiness(flags: FlagValues<typeof readinessFlags>): Wanted | undefined {
  const objections = new Objections();
  const conditions = flags.wait.flatMap((text) => objections.hear(() => parseCondition(text)) ?? []);
  const timeoutMs = objections.hear(() => readDuration("wait-timeout", flags["wait-timeout"]));
  if (timeoutMs !== undefined && flags.wait.length === 0) objections.add("INVALID_ARGUMENT", "--wait-timeout goes with --wait");
  objections.raise();
  if (conditions.length === 0) return undefined;
  return { conditions, ...(timeoutMs !== undefined && { timeoutMs }) };
}

export function parseCondition(text: string): Readiness {
  const hint = '"healthy", "port:5432", "log:/regex/" or "exit"';
  if (text === "healthy") return { is: "healthy" };
  if (text === "exit") return { is: "ended" };
  const [, kind, rest = ""] = /^(port|log):(.+)$/s.exec(text) ?? [];
  if (kind === "port") {
    const port = /^\d{1,5}$/.test(rest) ? Number(rest) : 0;
    if (port >= 1 && port <= 65_535) return { is: "listening", port };
    throw new RamekinError("INVALID_ARGUMENT", `--wait ${text}: no port between 1 and 65535`, { hint });
  }
  if (kind === "log") {
    const [, source = rest, modes = ""] = /^\/(.+)\/([imsu]*)$/s.exec(rest) ?? [];
    try {
      return { is: "logged", pattern: new RegExp(source, modes) };
    } catch (cause) {
      throw new RamekinError("INVALID_ARGUMENT", `--wait ${text}: ${(cause as Error).message}`, { cause, hint });
    }
  }
  throw new RamekinError("INVALID_ARGUMENT", `--wait ${text}: nothing that can be waited for`, { hint });
}

/** One condition after the other; resolves with the exit status: the container's own after `exit`, else 0. 124 as of timeout(1). */
export async function awaitReadiness(context: Context, container: Container, { conditions, timeoutMs }: Wanted): Promise<number> {
  const end = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const { signal } = context.interruption;
  let status: number = exitStatus.ok;
  for (const condition of conditions) {
    const left = end === undefined ? {} : { timeoutMs: Math.max(0, end - Date.now()) };
    try {
      await container.waitUntil(condition, { signal, ...left });
    } catch (error) {
      if (!isRamekinError(error, "TIMEOUT")) throw error;
      throw new StatusError(error.message, exitStatus.timeout, `it goes on; \`ramekin logs ${container.name}\` shows what it does`);
    }
    if (condition.is === "ended") status = (await container.wait({ signal })).code;
  }
  return status;
}
