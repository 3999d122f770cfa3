import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RamekinError, type Resources } from "@ramekin/core";
import { type Cgroup, readLines } from "./cgroup.ts";

interface Write {
  readonly controller: string;
  readonly v1: readonly (readonly [file: string, value: string])[];
  readonly v2: readonly (readonly [file: string, value: string])[];
}

/** Changes what `resources` names and leaves the rest. UNSUPPORTED when a controller is not here, INVALID_ARGUMENT when the kernel refuses. */
export function writeLimits(cgroup: Cgroup, resources: Resources): void {
  const writes = plan(resources, currentPeriod(cgroup));
  const missing = writes.find(({ controller }) => !cgroup.controller(controller));
  if (missing) throw new RamekinError("UNSUPPORTED", `no ${missing.controller} controller: its limits cannot be changed`);
  for (const { controller, v1, v2 } of writes) {
    const at = cgroup.controller(controller);
    if (!at) continue;
    writeAll(at.path, at.version === 1 ? v1 : v2);
  }
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
function plan({ cpu = {}, memory = {}, pids }: Resources, period: number): Write[] {
  const writes: Write[] = [];
  const { shares, quota, cpus, mems } = cpu;
  const { limit, swap, reservation } = memory;
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
  if (cpus !== undefined) writes.push({ controller: "cpuset", v1: [["cpuset.cpus", cpus]], v2: [["cpuset.cpus", cpus]] });
  if (mems !== undefined) writes.push({ controller: "cpuset", v1: [["cpuset.mems", mems]], v2: [["cpuset.mems", mems]] });
  if (reservation !== undefined)
    writes.push({
      controller: "memory",
      v1: [["memory.soft_limit_in_bytes", String(reservation)]],
      v2: [["memory.low", maxOr(reservation)]],
    });
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
  return writes;
}

/** v1's 2 … 262144 on v2's 1 … 10000, as every runtime maps it. */
export function weightOf(shares: number): number {
  return Math.floor(1 + ((Math.min(Math.max(shares, 2), 262144) - 2) * 9999) / 262142);
}

function currentPeriod(cgroup: Cgroup): number {
  const cpu = cgroup.controller("cpu");
  return Number(cpu?.version === 2 ? readLines(join(cpu.path, "cpu.max"))[0]?.split(" ")[1] : 100_000) || 100_000;
}
