import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { RamekinError } from "@ramekin/core";

/** Where one container's control groups are. On a machine with both, controllers of v1 come first: those are the ones that work. */
export interface Cgroup {
  /** The directory for a controller, and whose files are in it; `undefined` when nobody controls that here. */
  controller(name: string): { readonly version: 1 | 2; readonly path: string } | undefined;
  /** Of any hierarchy: all hold the same processes. */
  readonly anywhere: string;
}

interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Those of process `pid` where it is known, for only the kernel knows where it ended up; else those that `cgroupsPath` means. */
export function findCgroup(pid: number | undefined, cgroupsPath: string | undefined): Cgroup {
  const found = hierarchies(pid, cgroupsPath);
  const [first] = found;
  if (!first)
    throw new RamekinError("UNSUPPORTED", "this container has no control group", { hint: "control groups are not writable here" });
  return {
    controller(name) {
      const own = found.find(({ version, controllers }) => version === 1 && controllers.includes(name));
      return own ?? found.find(({ version, controllers }) => version === 2 && controllers.includes(name));
    },
    anywhere: (found.find(({ version, controllers }) => version === 1 && controllers.includes("pids")) ?? first).path,
  };
}

function hierarchies(pid: number | undefined, cgroupsPath: string | undefined): Hierarchy[] {
  const membership = pid === undefined ? undefined : memberships(`/proc/${pid}/cgroup`);
  const own = memberships("/proc/self/cgroup");
  return mounts().flatMap(({ version, controllers, root, target }): Hierarchy[] => {
    const key = version === 2 ? "" : (controllers.find((name) => own.has(name)) ?? "");
    const inside = membership ? membership.get(key) : cgroupsPath;
    // A process that shares our own group was never put into one: writing there would hit ourselves.
    if (inside === undefined || inside === "/" || (membership && inside === own.get(key))) return [];
    const path = join(target, membership ? relative(root, inside) : inside);
    try {
      return [
        {
          version,
          path,
          controllers: version === 1 ? controllers : readFileSync(join(path, "cgroup.controllers"), "utf8").trim().split(/\s+/),
        },
      ];
    } catch {
      return []; // no such group in this hierarchy
    }
  });
}

/** Controller (`""` for v2) to path, cgroups(7). */
function memberships(file: string): Map<string, string> {
  const result = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return result; // the process has ended
  }
  for (const line of text.split("\n")) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined) for (const name of (names ?? "").split(",")) result.set(name, path);
  }
  return result;
}

function mounts(): { version: 1 | 2; controllers: readonly string[]; root: string; target: string }[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [left, right] = line.split(" - ");
      const [, , , root, target] = (left ?? "").split(" ");
      const [type, , options = ""] = (right ?? "").split(" ");
      if (root === undefined || target === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
      const version = type === "cgroup2" ? 2 : 1;
      return [
        { version, root, target, controllers: version === 2 ? [] : options.split(",").filter((name) => name !== "rw" && name !== "ro") },
      ];
    });
}

/** Pids of all processes below, those in groups that the container itself has made included. */
export function processesBelow(directory: string): number[] {
  const pids = readLines(join(directory, "cgroup.procs")).map(Number);
  let below: string[];
  try {
    below = readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return pids; // removed under our eyes: the container has just ended
  }
  return [...new Set([...pids, ...below.flatMap((name) => processesBelow(join(directory, name)))])];
}

export function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return []; // a file that this kernel does not have, or a group that is gone
  }
}
