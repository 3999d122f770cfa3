import { readFileSync } from "node:fs";
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
  const fields = fieldsOf(stat);
  return fields[0] !== "Z" && fields[0] !== "X" && Number(fields[19]) === Number(process.startTime);
}

/** Of a process that is there. */
export function startTimeOf(pid: number): number {
  return Number(fieldsOf(readFileSync(`/proc/${pid}/stat`, "utf8"))[19]);
}

/** From field 3 on. The name, field 2, may hold spaces and parentheses: count behind its last parenthesis. */
const fieldsOf = (stat: string) => stat.slice(stat.lastIndexOf(")") + 2).split(" ");
