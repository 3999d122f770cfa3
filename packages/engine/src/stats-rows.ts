import { totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type ContainerStats, isRamekinError, RamekinError } from "@ramekin/core";
import type { ContainerConfig, ContainerStatus, StatsOptions, StatsRow } from "./api.ts";
import { parallel } from "./parallel.ts";
import type { Scope } from "./scope.ts";
import { allIds, currentState, findContainer, readConfigIfThere } from "./store/containers.ts";

interface Reading {
  readonly config: ContainerConfig;
  readonly status: ContainerStatus;
  readonly stats?: ContainerStats;
}

/** See `Engine.stats`. Shares of a processor need two readings: so the first table comes after one interval. */
export async function* statsRows(
  scope: Scope,
  { containers, all = false, intervalMs = 1000, signal }: StatsOptions = {},
): AsyncGenerator<readonly StatsRow[]> {
  await scope.opened();
  const chosen = containers && (await Promise.all(containers.map((name) => findContainer(scope.paths, name))));
  const stop = AbortSignal.any([scope.signal, ...(signal ? [signal] : [])]);
  const look = () =>
    readAll(
      scope,
      chosen?.map(({ id }) => id),
      all || chosen !== undefined,
    );
  for (let before = await look(); ; ) {
    await sleep(intervalMs, undefined, { signal: stop }).catch(() => {}); // an abort is seen below
    if (signal?.aborted) throw new RamekinError("CANCELLED", "reading statistics was cancelled", { cause: signal.reason });
    if (stop.aborted) return;
    const now = await look();
    yield [...now.values()].map((reading) => describe(reading, before.get(reading.config.id)));
    before = now;
  }
}

/** One that is removed meanwhile is left out. */
async function readAll(scope: Scope, ids: readonly string[] | undefined, all: boolean): Promise<Map<string, Reading>> {
  const found = await parallel(ids ?? (await allIds(scope.paths)), 16, async (id) => {
    try {
      const config = await readConfigIfThere(scope.paths, id);
      return config && (await read(scope, config));
    } catch (error) {
      if (isRamekinError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  });
  const readings = found.filter((reading) => reading !== undefined).filter(({ status }) => all || isLive(status));
  readings.sort((a, b) => (a.config.createdAt < b.config.createdAt ? 1 : -1));
  return new Map(readings.map((reading) => [reading.config.id, reading]));
}

const isLive = (status: ContainerStatus) => status === "running" || status === "paused";

async function read(scope: Scope, config: ContainerConfig): Promise<Reading> {
  const { status } = await currentState(scope, config);
  if (status !== "running" && status !== "paused") return { config, status };
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  // It may end under our eyes, and there may be no control group to read: then nothing is known of it.
  const stats = await isolation.stats?.(config.id).catch(() => undefined);
  return { config, status, ...(stats && { stats }) };
}

function describe({ config: { id, name }, status, stats }: Reading, before: Reading | undefined): StatsRow {
  if (!stats) return { id, name, status, cpuPercent: 0, memory: { used: 0, limit: 0 } };
  const earlier = before?.stats;
  const elapsedUs = earlier ? (stats.readAt.getTime() - earlier.readAt.getTime()) * 1000 : 0;
  const usedUs = earlier ? stats.cpu.usageUs - earlier.cpu.usageUs : 0;
  const total = totalmem();
  return {
    id,
    name,
    status,
    stats,
    cpuPercent: elapsedUs > 0 && usedUs > 0 ? (usedUs / elapsedUs) * 100 : 0,
    memory: {
      used: Math.max(0, stats.memory.usage - (stats.memory.reclaimable ?? 0)),
      limit: Math.min(stats.memory.limit ?? total, total),
    },
  };
}
