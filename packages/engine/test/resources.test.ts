import { Objections } from "@ramekin/core";
import { describe, expect, test } from "vitest";
import { deviceNumber } from "../src/block-io.ts";
import type { Controllers } from "../src/controllers.ts";
import { parseDeviceRule } from "../src/devices.ts";
import { withDns } from "../src/etc-files.ts";
import { hostLine } from "../src/plan-process.ts";
import { parseProcessorList } from "../src/processor-list.ts";
import { type Limits, planLimits } from "../src/resources.ts";
import { specText } from "../src/spec.ts";
import { checkSysctl } from "../src/sysctls.ts";
import { planUserns } from "../src/userns.ts";

/** A machine with these controllers and all that they can have; `lacks` names files that it has not. */
function machine(version: 1 | 2, names = "memory cpu cpuset pids blkio", lacks: readonly string[] = []): Controllers {
  return {
    version,
    has: (controller, { v1, v2 } = {}) => names.includes(controller) && !lacks.includes((version === 1 ? v1 : v2) ?? ""),
    read: (_, { v1 }) => (v1.includes("rt_runtime") ? "950000" : "0-3"),
  };
}

async function plan(limits: Limits, controllers = machine(1), update = false) {
  const objections = new Objections();
  const warnings: string[] = [];
  const planned = await planLimits(limits, {
    controllers,
    objections,
    update,
    parent: "/x",
    warn: (message) => void warnings.push(message),
  });
  const found: string[] = [];
  try {
    objections.raise();
  } catch (error) {
    const { errors = [], message } = error as { errors?: readonly Error[]; message: string };
    found.push(...(errors.length > 0 ? errors.map((each) => each.message) : [message]));
  }
  return { planned, warnings, found };
}

const MiB = 1 << 20;

describe("limits in the words of the runtime spec", () => {
  test("[ISO-3] cgroup v1 has all of them", async () => {
    const memory = { limit: 64 * MiB, swap: 128 * MiB, reservation: 32 * MiB, swappiness: 5, disableOOMKiller: true };
    const { planned, warnings, found } = await plan({ resources: { memory, cpu: { shares: 5, cpus: "1-2" }, pids: { limit: -7 } } });
    expect(planned).toEqual({ memory, cpu: { shares: 5, cpus: "1-2" }, pids: { limit: -1 } });
    expect([warnings, found]).toEqual([[], []]);
  });

  test("[ISO-4] cgroup v2 has no swappiness and no switch for the OOM killer: Docker warns, so do we", async () => {
    const memory = { limit: 64 * MiB, swappiness: 5, disableOOMKiller: true };
    const { planned, warnings } = await plan({ resources: { memory, unified: { "memory.high": "1" } } }, machine(2));
    expect(planned).toEqual({ memory: { limit: 64 * MiB }, unified: { "memory.high": "1" } });
    expect(warnings).toEqual([expect.stringContaining("swappiness discarded"), expect.stringContaining("--oom-kill-disable discarded")]);
  });

  test("CPUs become quota and period; nothing said is nothing asked for", async () => {
    expect((await plan({ cpus: 0.5 })).planned).toEqual({ cpu: { quota: 50_000, period: 100_000 } });
    expect((await plan({ resources: { memory: {}, cpu: { shares: 0 }, pids: { limit: 0 } } })).planned).toBeUndefined();
  });

  test("real time is checked against its period", async () => {
    const { planned, found } = await plan({ resources: { cpu: { realtimeRuntime: 5000, realtimePeriod: 1000 } } });
    expect(planned).toEqual({ cpu: { realtimeRuntime: 5000, realtimePeriod: 1000 } });
    expect(found).toEqual(["a real-time runtime of 5000 µs is more than its period of 1000 µs"]);
    expect((await plan({ resources: { cpu: { realtimeRuntime: 5 } } }, machine(2, undefined, ["cpu.rt.max"]))).found).toHaveLength(1);
  });
});

test("a controller that is missing is named: with a warning where Docker goes on, else refused", async () => {
  const limits: Limits = { resources: { memory: { limit: 64 * MiB }, cpu: { shares: 9 }, pids: { limit: 5 } }, blockIO: { weight: 500 } };
  const { planned, warnings } = await plan(limits, machine(1, ""));
  expect(planned).toBeUndefined();
  expect(warnings.map((each) => /memory|cpu|pids|blkio/.exec(each)?.[0])).toEqual(["memory", "cpu", "pids", "blkio"]);
  expect((await plan({ cpus: 1 }, machine(1, ""))).found[0]).toContain("cannot be held: this machine has no cpu controller");
  const noSwap = await plan(
    { resources: { memory: { limit: 64 * MiB, swap: 64 * MiB } } },
    machine(1, "memory", ["memory.memsw.limit_in_bytes"]),
  );
  expect([noSwap.planned, noSwap.warnings.length]).toEqual([{ memory: { limit: 64 * MiB } }, 1]);
});

test.each<[string, Limits, string]>([
  ["too little memory", { resources: { memory: { limit: 1024 } } }, "1024 bytes of memory are too few"],
  ["less with swap than without", { resources: { memory: { limit: 9 * MiB, swap: 8 * MiB } } }, "are less than memory alone"],
  ["swap alone", { resources: { memory: { swap: 8 * MiB } } }, "needs one of memory"],
  ["more reserved than allowed", { resources: { memory: { limit: 9 * MiB, reservation: 10 * MiB } } }, "is more than the limit"],
  ["swappiness", { resources: { memory: { swappiness: 101 } } }, "not between 0 and 100"],
  ["CPUs and period", { cpus: 1, resources: { cpu: { period: 5000 } } }, "exclude each other"],
  ["CPUs and quota", { cpus: 1, resources: { cpu: { quota: 5000 } } }, "exclude each other"],
  ["too many CPUs", { cpus: 4096 }, "not between 0.01 and"],
  ["period", { resources: { cpu: { period: 5 } } }, "not between 1000"],
  ["quota", { resources: { cpu: { quota: 5 } } }, "less than 1000"],
  ["CPUs that are not there", { resources: { cpu: { cpus: "0,9" } } }, "requested CPUs are not available: asked for 0,9, there are 0-3"],
  ["no list of nodes", { resources: { cpu: { mems: "x" } } }, "not a list of memory nodes: x"],
  ["weight", { blockIO: { weight: 5 } }, "weight of 5 is not between 10 and 1000"],
  ["no block device", { blockIO: { readBps: [{ path: "/dev/null", rate: 1 }] } }, "/dev/null is not a block device"],
  ["files of v2 on v1", { resources: { unified: { "memory.high": "1" } } }, "are those of v1"],
])("refused: %s", async (_, limits, message) => {
  expect((await plan(limits)).found.join()).toContain(message);
});

test("an update may change swap alone", async () => {
  expect((await plan({ resources: { memory: { swap: 8 * MiB } } }, machine(1), true)).found).toEqual([]);
});

test("small readers", () => {
  expect([...(parseProcessorList("0-2,5") ?? [])]).toEqual([0, 1, 2, 5]);
  expect([parseProcessorList("2-1"), parseProcessorList("")]).toEqual([undefined, undefined]);
  expect(deviceNumber(0x803)).toEqual({ major: 8, minor: 3 });
  expect(deviceNumber(259 * 256 + 2 ** 20 + 1)).toEqual({ major: 259, minor: 257 });
  expect(parseDeviceRule("a *:* rwm")).toEqual({ allow: true, access: "rwm" });
  expect(parseDeviceRule("c 10:200 rw")).toEqual({ allow: true, type: "c", major: 10, minor: 200, access: "rw" });
  expect(specText({ rlimits: [{ type: "x", hard: -1, soft: 5 }] })).toBe('{"rlimits":[{"type":"x","hard":18446744073709551615,"soft":5}]}');
  expect(hostLine("six:[::1]")).toBe("::1\tsix");
  expect(withDns("nameserver 1.1.1.1\nsearch a b\noptions x\n", { servers: ["9.9.9.9"], search: ["."] })).toBe(
    "options x\nnameserver 9.9.9.9\n",
  );
});

test("settings that have no namespace, or another's, are not a container's to change", () => {
  const own = { network: "private", ipc: "private" } as const;
  for (const name of ["net.ipv4.ip_forward", "kernel.shmmax", "fs.mqueue.msg_max", "kernel/msgmnb"]) checkSysctl(name, own);
  for (const name of ["kernel.hostname", "vm.swappiness", "fs.file-max"]) expect(() => checkSysctl(name, own)).toThrow("has no namespace");
  expect(() => checkSysctl("net.core.somaxconn", { ...own, network: "other" })).toThrow("network namespace is not the container's own");
});

test("[ISO-2] maps of ids: what is said for one kind goes for both; without root there is none to choose", async () => {
  const map = { containerID: 0, hostID: 5000, size: 10 };
  const found = await planUserns({ image: "x", uidMaps: [map] }, false)?.({} as never, "id");
  expect(found).toEqual({ uids: [map], gids: [map] });
  expect(planUserns({ image: "x", userns: "host" }, false)).toBeUndefined();
  expect(() => planUserns({ image: "x", userns: "auto" }, true)).toThrow("without root");
  expect(() => planUserns({ image: "x", userns: "auto:size=70000" }, false)).toThrow("no such user namespace");
});
