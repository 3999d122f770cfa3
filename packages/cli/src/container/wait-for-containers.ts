import { setTimeout as sleep } from "node:timers/promises";
import { isRamekinError, RamekinError } from "@ramekin/core";
import type { Container } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../values/duration.ts";
import { forEachName } from "./for-each.ts";
import { selectContainers } from "./select-containers.ts";

export interface WaitFlags {
  readonly condition: readonly string[];
  readonly interval: string;
  readonly latest: boolean;
}

const conditions = [
  "created",
  "running",
  "paused",
  "restarting",
  "removing",
  "exited",
  "stopped",
  "dead",
  "healthy",
  "unhealthy",
  "starting",
];

/** `ramekin wait`: exit codes, or with a condition that it has come true: -1 for what has not ended, as podman says it. */
export async function waitForContainers(flags: WaitFlags, names: readonly string[], context: Context): Promise<number> {
  const { condition } = flags;
  const wanted = condition.flatMap((text) => text.split(","));
  const unknown = wanted.find((text) => !conditions.includes(text));
  if (unknown !== undefined)
    throw new UsageError(`no condition ${JSON.stringify(unknown)}`, { hint: `known are ${conditions.join(", ")}` });
  const interval = parseDuration(/^\d+$/.test(flags.interval) ? `${flags.interval}ms` : flags.interval);
  if (interval === undefined || interval < 0) throw new UsageError(`--interval ${flags.interval}: not a time`, { hint: "250ms, or 2s" });
  const engine = await context.engine();
  const { signal } = context.interruption;
  const selected = await selectContainers({ all: false, cidfile: [], latest: flags.latest }, names, context);
  return await forEachName(context, selected, async (name) => {
    const container = await engine.container(name);
    if (wanted.length === 0) return String((await container.wait({ signal })).code);
    return await comesTrue(container, new Set(wanted.map((text) => (text === "stopped" ? "exited" : text))), interval, signal);
  });
}

async function comesTrue(container: Container, wanted: ReadonlySet<string>, interval: number, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const { status, health, exit } = await container.inspect();
      if (wanted.has(status) || (health !== undefined && wanted.has(health))) return String(exit?.code ?? -1);
    } catch (error) {
      // It has removed itself: that is an end, too.
      if (!isRamekinError(error, "NOT_FOUND") || !wanted.has("removing")) throw error;
      return "-1";
    }
    await sleep(interval, undefined, { signal }).catch((cause: unknown) => {
      throw new RamekinError("CANCELLED", "waiting was cancelled", { cause });
    });
  }
}
