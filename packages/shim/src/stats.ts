import { readlinkSync } from "node:fs";
import { join } from "node:path";
import type { ContainerStats } from "@ramekin/core";
import { type Cgroup, readLines } from "./cgroup.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One reading, each controller from the hierarchy that it is in; the network from the namespace of process `pid`. */
export function readStats(cgroup: Cgroup, pid: number): ContainerStats {
  const io = readIO(cgroup);
  const network = readNetwork(pid);
  return {
    readAt: new Date(),
    cpu: readCpu(cgroup),
    memory: readMemory(cgroup),
    pids: readPids(cgroup),
    ...(io && { io }),
    ...(network && { network }),
  };
}

function readCpu(cgroup: Cgroup): ContainerStats["cpu"] {
  const accounting = cgroup.controller("cpuacct");
  const cpu = cgroup.controller("cpu");
  const stat = cpu ? readPairs(join(cpu.path, "cpu.stat")) : new Map<string, number>();
  // v1 counts nanoseconds, v2 microseconds; cpu.stat is in every v2 group, whether it has the controller or not.
  const usageUs = accounting
    ? Math.floor((readNumber(join(accounting.path, "cpuacct.usage")) ?? 0) / 1000)
    : (stat.get("usage_usec") ?? readPairs(join(cgroup.anywhere, "cpu.stat")).get("usage_usec") ?? 0);
  const throttled = cpu?.version === 1 ? Math.floor((stat.get("throttled_time") ?? 0) / 1000) : stat.get("throttled_usec");
  return { usageUs, ...(throttled !== undefined && { throttledUs: throttled }) };
}

function readMemory(cgroup: Cgroup): ContainerStats["memory"] {
  const memory = cgroup.controller("memory");
  if (!memory) return { usage: 0 };
  const names =
    memory.version === 1
      ? ["memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes"]
      : ["memory.current", "memory.max", "memory.peak"];
  const [usage = 0, limit, peak] = names.map((name) => readNumber(join(memory.path, name)));
  // v1 says "none" as the largest multiple of a page; v2 says "max", which is no number.
  const limited = limit !== undefined && limit < 2 ** 62;
  const reclaimable = readPairs(join(memory.path, "memory.stat")).get(memory.version === 1 ? "total_inactive_file" : "inactive_file");
  return { usage, ...(limited && { limit }), ...(peak !== undefined && { peak }), ...(reclaimable !== undefined && { reclaimable }) };
}

function readPids(cgroup: Cgroup): ContainerStats["pids"] {
  const pids = cgroup.controller("pids");
  if (!pids) return { current: 0 };
  const limit = readNumber(join(pids.path, "pids.max"));
  return { current: readNumber(join(pids.path, "pids.current")) ?? 0, ...(limit !== undefined && { limit }) };
}

function readIO(cgroup: Cgroup): ContainerStats["io"] {
  const io = cgroup.controller("io");
  const blkio = cgroup.controller("blkio");
  const total: Mutable<NonNullable<ContainerStats["io"]>> = { readBytes: 0, writtenBytes: 0 };
  if (blkio) {
    // `8:0 Read 4096`
    for (const line of readLines(join(blkio.path, "blkio.throttle.io_service_bytes_recursive"))) {
      const [, kind, bytes] = line.split(" ");
      if (kind === "Read") total.readBytes += Number(bytes);
      else if (kind === "Write") total.writtenBytes += Number(bytes);
    }
  } else if (io) {
    // `8:0 rbytes=4096 wbytes=0 …`
    for (const line of readLines(join(io.path, "io.stat"))) {
      total.readBytes += Number(/ rbytes=(\d+)/.exec(line)?.[1] ?? 0);
      total.writtenBytes += Number(/ wbytes=(\d+)/.exec(line)?.[1] ?? 0);
    }
  } else return undefined;
  return total;
}

/** proc_pid_net(5), dev: `eth0: BYTES` and seven more received, then the same of what was sent. */
function readNetwork(pid: number): ContainerStats["network"] | undefined {
  if (namespaceOf(pid) === undefined || namespaceOf(pid) === namespaceOf("self")) return undefined;
  const total: Mutable<NonNullable<ContainerStats["network"]>> = { receivedBytes: 0, sentBytes: 0 };
  for (const line of readLines(`/proc/${pid}/net/dev`)) {
    const [, name, numbers = ""] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") continue;
    const counters = numbers.trim().split(/\s+/).map(Number);
    total.receivedBytes += counters[0] ?? 0;
    total.sentBytes += counters[8] ?? 0;
  }
  return total;
}

function namespaceOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // ended, or not ours to look at
  }
}

function readNumber(path: string): number | undefined {
  const value = Number(readLines(path)[0] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

function readPairs(path: string): Map<string, number> {
  return new Map(
    readLines(path)
      .map((line) => line.split(" "))
      .map(([name = "", value]) => [name, Number(value)]),
  );
}
