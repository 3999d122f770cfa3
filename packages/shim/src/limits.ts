import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BlockIO, RamekinError, type Resources } from "@ramekin/core";
import { type Cgroup, readLines } from "./cgroup.ts";

interface Write {
  readonly controller: string;
  readonly v1: readonly (readonly [file: string, value: string])[];
  readonly v2: readonly (readonly [file: string, value: string])[];
}

/** Changes what `resources` names and leaves the rest. UNSUPPORTED when a controller is not here, INVALID_ARGUMENT when the kernel refuses. */
export function writeLimits(cgroup: Cgroup, resources: Resources): void {
  const writes = plan(resources, currentPeriod(cgroup));
  const missing = writes.find(({ controller }) => !find(cgroup, controller));
  if (missing) throw new RamekinError("UNSUPPORTED", `no ${missing.controller} controller: its limits cannot be changed`);
  for (const { controller, v1, v2 } of writes) {
    const at = find(cgroup, controller);
    if (at) writeAll(at.path, at.version === 1 ? v1 : v2);
  }
}

/** cgroup v2 has another name for one of them. */
const find = (cgroup: Cgroup, name: string) => cgroup.controller(name) ?? (name === "blkio" ? cgroup.controller("io") : undefined);

/**
 * What libcontainer 0.7 leaves out of a new group, or gets wrong: weights of devices (v1), the OOM killer's switch, and on v2 the
 * weight of block IO, which it multiplies in 16 bits.
 */
export function fillGaps(cgroup: () => Cgroup, { memory, blockIO }: Resources): void {
  const { weight, weightDevice } = blockIO ?? {};
  if (!memory?.disableOOMKiller && !weight && !weightDevice?.length) return;
  const group = cgroup();
  const io = find(group, "blkio");
  const hasWeight = io?.version === 2 && existsSync(join(io.path, "io.weight"));
  writeLimits(group, {
    ...(memory?.disableOOMKiller && { memory: { disableOOMKiller: true } }),
    blockIO: { ...(weight && hasWeight && { weight }), ...(weightDevice && io?.version === 1 && { weightDevice }) },
  });
}

/**
 * In the order given; but a limit of memory and one of memory and swap hold each other in bounds (v1), so that one order is right
 * when they grow and the other when they shrink: what is refused is tried again after the rest.
 */
function writeAll(directory: string, writes: Write["v1"]): void {
  const refused = writes.filter(([file, value]) => !accepted(directory, file, value));
  for (const [file, value] of refused) {
    const error = attempt(directory, file, value);
    if (error)
      throw new RamekinError("INVALID_ARGUMENT", `${join(directory, file)} does not take ${value}: ${error.message}`, { cause: error });
  }
}

const accepted = (directory: string, file: string, value: string) => attempt(directory, file, value) === undefined;

function attempt(directory: string, file: string, value: string): Error | undefined {
  try {
    writeFileSync(join(directory, file), value);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const unlimited = -1;
const maxOr = (value: number) => (value === unlimited ? "max" : String(value));

/** What is to be written, for both versions. */
function plan({ cpu = {}, memory = {}, pids, blockIO = {} }: Resources, period: number): Write[] {
  const writes: Write[] = [];
  const { shares, quota, cpus, mems } = cpu;
  const { limit, swap, reservation, swappiness, disableOOMKiller } = memory;
  const newPeriod = cpu.period ?? period;
  if (quota !== undefined || cpu.period !== undefined)
    writes.push({
      controller: "cpu",
      v1: [
        ...(cpu.period !== undefined ? [["cpu.cfs_period_us", String(cpu.period)] as const] : []),
        ...(quota !== undefined ? [["cpu.cfs_quota_us", String(quota)] as const] : []),
      ],
      // A value alone sets the quota; the period can only be set with it, and "max" is none.
      v2: [["cpu.max", `${quota === undefined || quota <= 0 ? "max" : quota} ${newPeriod}`]],
    });
  if (shares !== undefined)
    writes.push({ controller: "cpu", v1: [["cpu.shares", String(shares)]], v2: [["cpu.weight", String(weightOf(shares))]] });
  if (cpu.realtimePeriod !== undefined || cpu.realtimeRuntime !== undefined)
    writes.push({
      controller: "cpu",
      v1: [
        ...(cpu.realtimePeriod !== undefined ? [["cpu.rt_period_us", String(cpu.realtimePeriod)] as const] : []),
        ...(cpu.realtimeRuntime !== undefined ? [["cpu.rt_runtime_us", String(cpu.realtimeRuntime)] as const] : []),
      ],
      v2: [],
    });
  if (cpus !== undefined) writes.push({ controller: "cpuset", v1: [["cpuset.cpus", cpus]], v2: [["cpuset.cpus", cpus]] });
  if (mems !== undefined) writes.push({ controller: "cpuset", v1: [["cpuset.mems", mems]], v2: [["cpuset.mems", mems]] });
  if (reservation !== undefined)
    writes.push({
      controller: "memory",
      v1: [["memory.soft_limit_in_bytes", String(reservation)]],
      v2: [["memory.low", maxOr(reservation)]],
    });
  if (swappiness !== undefined) writes.push({ controller: "memory", v1: [["memory.swappiness", String(swappiness)]], v2: [] });
  if (disableOOMKiller) writes.push({ controller: "memory", v1: [["memory.oom_control", "1"]], v2: [] });
  if (limit !== undefined || swap !== undefined)
    writes.push({
      controller: "memory",
      v1: [
        ...(limit !== undefined ? [["memory.limit_in_bytes", String(limit)] as const] : []),
        ...(swap !== undefined ? [["memory.memsw.limit_in_bytes", String(swap)] as const] : []),
      ],
      // OCI's `swap` is memory and swap together, as v1 has it; v2 counts swap alone.
      v2: [
        ...(limit !== undefined ? [["memory.max", maxOr(limit)] as const] : []),
        ...(swap !== undefined ? [["memory.swap.max", swap === unlimited ? "max" : String(swap - (limit ?? 0))] as const] : []),
      ],
    });
  if (pids) writes.push({ controller: "pids", v1: [["pids.max", maxOr(pids.limit)]], v2: [["pids.max", maxOr(pids.limit)]] });
  writes.push(...planBlockIO(blockIO));
  return writes;
}

function planBlockIO(blockIO: BlockIO): Write[] {
  const { weight, weightDevice = [] } = blockIO;
  const lines: Write[] = [];
  if (weight)
    lines.push({ controller: "blkio", v1: [["blkio.bfq.weight", String(weight)]], v2: [["io.weight", String(ioWeightOf(weight))]] });
  for (const { major, minor, weight: own } of weightDevice) {
    const at = `${major}:${minor}`;
    lines.push({ controller: "blkio", v1: [["blkio.bfq.weight_device", `${at} ${own}`]], v2: [["io.bfq.weight", `${at} ${own}`]] });
  }
  const rates = [
    ["throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"],
    ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"],
    ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"],
    ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"],
  ] as const;
  for (const [field, file, key] of rates) {
    for (const { major, minor, rate } of blockIO[field] ?? []) {
      lines.push({ controller: "blkio", v1: [[file, `${major}:${minor} ${rate}`]], v2: [["io.max", `${major}:${minor} ${key}=${rate}`]] });
    }
  }
  return lines;
}

/** 10 … 1000 of Docker's on 1 … 10000 of io.weight, as every runtime maps it. */
export function ioWeightOf(weight: number): number {
  return Math.floor(1 + ((weight - 10) * 9999) / 990);
}

/** v1's 2 … 262144 on v2's 1 … 10000, as every runtime maps it. */
export function weightOf(shares: number): number {
  return Math.floor(1 + ((Math.min(Math.max(shares, 2), 262144) - 2) * 9999) / 262142);
}

function currentPeriod(cgroup: Cgroup): number {
  const cpu = cgroup.controller("cpu");
  return Number(cpu?.version === 2 ? readLines(join(cpu.path, "cpu.max"))[0]?.split(" ")[1] : 100_000) || 100_000;
}
