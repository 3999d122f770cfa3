import { readFile } from "node:fs/promises";
import { readIfThere } from "./files.ts";

let boot: Promise<string> | undefined;

/** Which boot of the machine this is: pids of another mean nothing. */
export function bootId(): Promise<string> {
  boot ??= readFile("/proc/sys/kernel/random/boot_id", "utf8").then((text) => text.trim());
  return boot;
}

/** Whether the process is there and the one that was meant: a pid is used again, a pid with its start time (clock ticks since boot) is not. */
export async function isAlive(process: { readonly pid: number; readonly startTime: number }): Promise<boolean> {
  const stat = await readIfThere(`/proc/${process.pid}/stat`).catch(() => undefined); // ESRCH while it is being reaped
  if (stat === undefined) return false;
  // The name, field 2, may hold spaces and parentheses: count behind its last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] !== "Z" && fields[0] !== "X" && Number(fields[19]) === Number(process.startTime);
}
