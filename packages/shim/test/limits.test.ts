import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Resources } from "@ramekin/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cgroup } from "../src/cgroup.ts";
import { fillGaps, ioWeightOf, weightOf, writeLimits } from "../src/limits.ts";
import { readStats } from "../src/stats.ts";

/** Files in the place of a hierarchy: what version 2 is told on a machine that has version 1. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ramekin-limits-test-"));
});
afterEach(() => rm(root, { recursive: true }));

const controllers = ["cpu", "cpuset", "memory", "pids"];
const cgroup = (version: 1 | 2): Cgroup => ({
  controller: (name) => ([...controllers, version === 1 ? "blkio" : "io"].includes(name) ? { version, path: root } : undefined),
  anywhere: root,
});
const files = (content: Record<string, string>) => {
  for (const [name, text] of Object.entries(content)) writeFileSync(join(root, name), text);
};
const read = (name: string) => readFileSync(join(root, name), "utf8").trim();

test.each<[1 | 2, Resources, Record<string, string>]>([
  [2, { cpu: { quota: 20_000 } }, { "cpu.max": "20000 50000" }],
  [2, { cpu: { quota: -1, period: 10_000 } }, { "cpu.max": "max 10000" }],
  [2, { cpu: { shares: 1024, cpus: "0-1" } }, { "cpu.weight": "39", "cpuset.cpus": "0-1" }],
  [2, { memory: { limit: 100, swap: 150, reservation: 50 } }, { "memory.max": "100", "memory.swap.max": "50", "memory.low": "50" }],
  [2, { memory: { limit: -1, swap: -1 } }, { "memory.max": "max", "memory.swap.max": "max" }],
  [2, { pids: { limit: -1 } }, { "pids.max": "max" }],
  [
    1,
    { cpu: { quota: 20_000, period: 50_000, shares: 512 } },
    { "cpu.cfs_quota_us": "20000", "cpu.cfs_period_us": "50000", "cpu.shares": "512" },
  ],
  [1, { memory: { limit: 100, swap: 150 } }, { "memory.limit_in_bytes": "100", "memory.memsw.limit_in_bytes": "150" }],
  [1, { pids: { limit: 7 } }, { "pids.max": "7" }],
  [
    1,
    { memory: { swappiness: 9, disableOOMKiller: true }, cpu: { realtimeRuntime: 10, realtimePeriod: 20 } },
    { "memory.swappiness": "9", "memory.oom_control": "1", "cpu.rt_runtime_us": "10", "cpu.rt_period_us": "20" },
  ],
  [
    1,
    {
      blockIO: {
        weight: 300,
        weightDevice: [{ major: 8, minor: 0, weight: 70 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }],
      },
    },
    { "blkio.bfq.weight": "300", "blkio.bfq.weight_device": "8:0 70", "blkio.throttle.read_bps_device": "8:0 5" },
  ],
  [
    2,
    { blockIO: { weight: 500, throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 6 }] } },
    { "io.weight": "4950", "io.max": "8:0 wiops=6" },
  ],
])("version %i, %j", (version, resources, expected) => {
  files({ "cpu.max": "max 50000" });
  writeLimits(cgroup(version), resources);
  for (const [name, value] of Object.entries(expected)) expect([name, read(name)]).toEqual([name, value]);
});

test("what libcontainer leaves out of a new group is written after it, and only that", () => {
  const blockIO = { weight: 300, weightDevice: [{ major: 8, minor: 0, weight: 70 }] };
  fillGaps(() => cgroup(1), { memory: { limit: 5, disableOOMKiller: true }, blockIO, pids: { limit: 5 } });
  expect(readdirSync(root).sort()).toEqual(["blkio.bfq.weight_device", "memory.oom_control"]);
  files({ "io.weight": "default 100" });
  fillGaps(() => cgroup(2), { blockIO });
  expect(read("io.weight")).toBe("2930");
  expect([10, 1000].map(ioWeightOf)).toEqual([1, 10_000]);
  fillGaps(
    () => {
      throw new Error("nobody needs the group");
    },
    { memory: { limit: 5 } },
  );
});

test("a controller that is not here is UNSUPPORTED, and nothing is written", () => {
  const without: Cgroup = { controller: () => undefined, anywhere: root };
  expect(() => writeLimits(without, { pids: { limit: 1 } })).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
});

test("what the kernel refuses is INVALID_ARGUMENT", () => {
  mkdirSync(join(root, "pids.max")); // cannot be written
  expect(() => writeLimits(cgroup(2), { pids: { limit: 1 } })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test.each([
  [2, 1],
  [1024, 39],
  [262144, 10000],
  [1, 1],
])("shares %i weigh %i", (shares, weight) => expect(weightOf(shares)).toBe(weight));

test("stats of version 2", () => {
  files({
    "cpu.stat": "usage_usec 5000\nuser_usec 1\nthrottled_usec 70\n",
    "memory.current": "4096\n",
    "memory.max": "max\n",
    "memory.peak": "8192\n",
    "pids.current": "3\n",
    "pids.max": "10\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n",
  });
  expect(readStats(cgroup(2), process.pid)).toEqual({
    readAt: expect.any(Date),
    cpu: { usageUs: 5000, throttledUs: 70 },
    memory: { usage: 4096, peak: 8192 },
    pids: { current: 3, limit: 10 },
    io: { readBytes: 11, writtenBytes: 22 },
  });
});
