import { readFileSync } from "node:fs";

/** A process that cannot be mistaken for another: pids come round again, and with a reboot all of them. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTime: number;
  readonly bootId: string;
}

let bootId: string | undefined;

export function currentBootId(): string {
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return bootId;
}

/** `undefined` when there is none. */
export function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything: count from its end, where field 3 begins.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined; // gone, or never there: the same to everybody who asks
  }
}

export function currentProcess(): ProcessId {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? 0, bootId: currentBootId() };
}

export function isAlive({ pid, startTime, bootId }: ProcessId): boolean {
  return bootId === currentBootId() && startTimeOf(pid) === startTime;
}
