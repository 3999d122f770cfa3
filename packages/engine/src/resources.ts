import { availableParallelism } from "node:os";
import type { Objections, Resources } from "@ramekin/core";
import { blockIO, checkBlockIO } from "./block-io.ts";
import type { Controllers } from "./controllers.ts";
import { checkProcessorList } from "./processor-list.ts";
import type { ResourceOptions } from "./resource-options.ts";

export type Limits = Pick<ResourceOptions, "resources" | "cpus" | "blockIO">;

export interface ResourceJudge {
  readonly controllers: Controllers;
  readonly objections: Objections;
  /** Docker drops what the kernel cannot hold with a warning, where the container runs without it as well. */
  warn(message: string): void;
  /** A container that has limits already may get one of a pair alone. */
  readonly update?: boolean;
  /** The group that the container's is made in: it must have the real time that it gives away. */
  readonly parent?: string;
}

const leastMemory = 6 << 20;
/** Of `--cpus`, as Docker takes it. */
const period = 100_000;

/** What control groups are to hold, in the words of the runtime spec, as Docker checks it (daemon_unix.go). */
export async function planLimits({ resources = {}, cpus, blockIO: io }: Limits, judge: ResourceJudge): Promise<Resources | undefined> {
  const { memory, cpu, pids, ...rest } = resources;
  const limits = {
    ...rest,
    ...(memory && part("memory", planMemory(memory, judge))),
    ...((cpu || cpus !== undefined) && part("cpu", planCpu(cpu ?? {}, cpus, judge))),
    ...(pids && planPids(pids, judge)),
    ...(io && checkBlockIO(io, judge) && part("blockIO", await blockIO(io, judge))),
  };
  if (limits.unified && judge.controllers.version === 1)
    judge.objections.add("UNSUPPORTED", "files of cgroup v2 cannot be set: this machine's controllers are those of v1");
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** Empty parts are left out: a runtime takes even those for something to be set. */
function part<K extends string, T extends object>(name: K, value: T): { [P in K]?: T } {
  return Object.keys(value).length > 0 ? ({ [name]: value } as { [P in K]?: T }) : {};
}

type Memory = NonNullable<Resources["memory"]>;

function planMemory(memory: Memory, { controllers, objections, warn, update = false }: ResourceJudge): Memory {
  const { limit = 0, swap = 0, reservation = 0, swappiness, disableOOMKiller } = memory;
  if (!controllers.has("memory")) {
    warn("this kernel has no memory controller, or it is not mounted: limits of memory discarded");
    return {};
  }
  if (limit !== 0 && limit < leastMemory) objections.add("INVALID_ARGUMENT", `${limit} bytes of memory are too few`, "6m is the least");
  if (limit > 0 && swap > 0 && swap < limit) {
    objections.add(
      "INVALID_ARGUMENT",
      `memory and swap together (${swap}) are less than memory alone (${limit})`,
      "--memory-swap counts both; -1 for as much swap as there is",
    );
  }
  if (limit === 0 && swap > 0 && !update)
    objections.add("INVALID_ARGUMENT", "a limit of memory and swap needs one of memory", "give --memory, too");
  if (reservation !== 0 && reservation < leastMemory)
    objections.add("INVALID_ARGUMENT", `a reservation of ${reservation} bytes is too small`, "6m is the least");
  if (limit > 0 && reservation > limit)
    objections.add("INVALID_ARGUMENT", `the memory reservation (${reservation}) is more than the limit (${limit})`);
  if (swappiness !== undefined && (swappiness < -1 || swappiness > 100))
    objections.add("INVALID_ARGUMENT", `a swappiness of ${swappiness} is not between 0 and 100`);

  const hasSwap = controllers.has("memory", { v1: "memory.memsw.limit_in_bytes", v2: "memory.swap.max" });
  if (!hasSwap && swap > 0) warn("this kernel does not count swap, or swap accounting is off: memory limited without swap");
  const hasSwappiness = controllers.version === 1;
  if (!hasSwappiness && (swappiness ?? -1) >= 0) warn("cgroup v2 has no swappiness: memory swappiness discarded");
  if (disableOOMKiller && controllers.version === 2) warn("cgroup v2 cannot switch the OOM killer off: --oom-kill-disable discarded");
  const keepsKiller = !disableOOMKiller || controllers.version === 2;
  if (!keepsKiller && limit === 0)
    warn("the OOM killer is off and there is no limit of memory: the whole system may run out of it, and hang");
  return {
    ...(limit !== 0 && { limit }),
    ...(hasSwap && swap !== 0 && { swap }),
    ...(reservation !== 0 && { reservation }),
    ...(hasSwappiness && swappiness !== undefined && swappiness >= 0 && { swappiness }),
    ...(!keepsKiller && { disableOOMKiller: true }),
  };
}

type Cpu = NonNullable<Resources["cpu"]>;

function planCpu(cpu: Cpu, cpus: number | undefined, judge: ResourceJudge): Cpu {
  const { objections, warn, controllers } = judge;
  const { shares = 0, quota = 0, period: given = 0, cpus: set = "", mems = "" } = cpu;
  if (cpus !== undefined && cpus !== 0) {
    const there = availableParallelism();
    if (given !== 0) objections.add("INVALID_ARGUMENT", "a number of CPUs and a CPU period exclude each other", "--cpus stands for both");
    if (quota !== 0) objections.add("INVALID_ARGUMENT", "a number of CPUs and a CPU quota exclude each other", "--cpus stands for both");
    if (cpus < 0.01 || cpus > there)
      objections.add("INVALID_ARGUMENT", `${cpus} CPUs are not between 0.01 and ${there}: so many does this machine have`);
    if (!controllers.has("cpu", { v1: "cpu.cfs_quota_us", v2: "cpu.max" }))
      objections.add("UNSUPPORTED", "a number of CPUs cannot be held: this machine has no cpu controller with quotas");
  }
  if (given !== 0 && (given < 1000 || given > 1_000_000))
    objections.add("INVALID_ARGUMENT", `a CPU period of ${given} µs is not between 1000 (1 ms) and 1000000 (1 s)`);
  if (quota > 0 && quota < 1000) objections.add("INVALID_ARGUMENT", `a CPU quota of ${quota} µs is less than 1000 (1 ms)`);
  if (shares < 0) objections.add("INVALID_ARGUMENT", `${shares} CPU shares are less than none`);
  if ((shares !== 0 || quota !== 0 || given !== 0) && !controllers.has("cpu")) {
    warn("this machine has no cpu controller: CPU shares, quota and period discarded");
    return {};
  }
  return {
    ...(shares !== 0 && { shares }),
    ...(cpus ? { quota: Math.round(cpus * period), period } : { ...(quota !== 0 && { quota }), ...(given !== 0 && { period: given }) }),
    ...planRealTime(cpu, judge),
    ...planProcessors("cpus", set, judge),
    ...planProcessors("mems", mems, judge),
  };
}

function planRealTime({ realtimePeriod = 0, realtimeRuntime = 0 }: Cpu, { controllers, objections, parent }: ResourceJudge): Cpu {
  if (realtimePeriod === 0 && realtimeRuntime === 0) return {};
  if (!controllers.has("cpu", { v1: "cpu.rt_runtime_us", v2: "cpu.rt.max" })) {
    objections.add("UNSUPPORTED", "this machine's cpu controller does not hand out real time");
    return {};
  }
  if (realtimePeriod !== 0 && realtimeRuntime > realtimePeriod)
    objections.add("INVALID_ARGUMENT", `a real-time runtime of ${realtimeRuntime} µs is more than its period of ${realtimePeriod} µs`);
  const file = { v1: `${parent}/cpu.rt_runtime_us`, v2: "" };
  if (parent !== undefined && realtimeRuntime > 0 && Number(controllers.read("cpu", file) ?? 0) === 0) {
    objections.add(
      "FAILED_PRECONDITION",
      `the control group ${parent} has no real time to give`,
      `write a number of µs into /sys/fs/cgroup/cpu${file.v1} first, or name a group that has some with --cgroup-parent`,
    );
  }
  return { ...(realtimePeriod !== 0 && { realtimePeriod }), ...(realtimeRuntime !== 0 && { realtimeRuntime }) };
}

function planProcessors(kind: "cpus" | "mems", list: string, { controllers, objections, warn }: ResourceJudge): Cpu {
  if (list === "") return {};
  if (!controllers.has("cpuset")) {
    warn(`this machine has no cpuset controller: cpuset ${kind} discarded`);
    return {};
  }
  const there = controllers.read("cpuset", { v1: `cpuset.${kind}`, v2: `cpuset.${kind}.effective` });
  objections.hear(() => checkProcessorList(list, there, kind === "cpus" ? "CPUs" : "memory nodes"));
  return { [kind]: list };
}

function planPids(pids: NonNullable<Resources["pids"]>, { controllers, warn }: ResourceJudge): Pick<Resources, "pids"> {
  if (controllers.has("pids")) return pids.limit === 0 ? {} : { pids: { limit: Math.max(pids.limit, -1) } };
  warn("this machine has no pids controller: the limit of processes discarded");
  return {};
}
