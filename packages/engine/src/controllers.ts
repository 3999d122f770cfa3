import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupMode } from "./cgroup.ts";

/** What this machine's control groups can hold. */
export interface Controllers {
  readonly version: 1 | 2;
  /** A controller by its v1 name, such as `memory`; with a file, whether it has that one. */
  has(controller: string, file?: { readonly v1?: string; readonly v2?: string }): boolean;
  /** What the kernel says in a file of the uppermost group that has it. */
  read(controller: string, file: { readonly v1: string; readonly v2: string }): string | undefined;
}

const mountPoint = "/sys/fs/cgroup";
/** v2 has other names for some. */
const unified: Readonly<Record<string, string>> = { blkio: "io", cpuacct: "cpu" };

export async function findControllers(): Promise<Controllers> {
  const version = (await cgroupMode()) === "v2" ? 2 : 1;
  const group = version === 2 ? join(mountPoint, ownGroup()) : "";
  const names = version === 2 ? (read(join(group, "cgroup.controllers")) ?? "").split(/\s+/) : [];
  const directory = (controller: string) => (version === 2 ? group : join(mountPoint, controller));
  return {
    version,
    has(controller, { v1, v2 } = {}) {
      if (version === 1) return existsSync(join(directory(controller), v1 ?? "cgroup.procs"));
      if (!names.includes(unified[controller] ?? controller)) return false;
      // The root group has hardly any of the files that groups below it have: there the controller's name must do.
      return v2 === undefined || group === `${mountPoint}/` || group === mountPoint || existsSync(join(group, v2));
    },
    read: (controller, { v1, v2 }) => read(join(directory(controller), version === 1 ? v1 : v2)),
  };
}

function ownGroup(): string {
  const line = read("/proc/self/cgroup")
    ?.split("\n")
    .find((each) => each.startsWith("0::"));
  return line?.slice(3) ?? "/";
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // not of this kernel
  }
}
