import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the machine holds that a test run could leave behind. */
export interface MachineState {
  readonly mounts: readonly string[];
  /** Cgroups of ramekin's, with the processes in them. */
  readonly cgroups: Readonly<Record<string, readonly number[]>>;
  readonly temporary: readonly string[];
}

export async function machineState(): Promise<MachineState> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4] ?? "");
  const temporary = (await Promise.all(["/tmp", "/var/tmp", "/dev/shm"].map(namesIn))).flat().filter((path) => path.includes("ramekin"));
  return { mounts, cgroups: await cgroups(), temporary };
}

/** `pid` and all its ancestors, from their stat files. */
export async function ancestry(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (let at = pid; at > 1; ) {
    found.push(at);
    const stat = await readFile(`/proc/${at}/stat`, "utf8").catch(() => "");
    at = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return found;
}

async function cgroups(): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  const visit = async (folder: string, depth: number, inside: boolean): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.filter((entry) => entry.isDirectory() && !entry.isSymbolicLink())) {
      const path = join(folder, name);
      const ours = inside || name === "ramekin";
      if (ours && name !== "ramekin") {
        const pids = await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "");
        found[path] = pids.split("\n").filter(Boolean).map(Number);
      }
      if (ours || depth < 2) await visit(path, depth + 1, ours);
    }
  };
  await visit("/sys/fs/cgroup", 0, false);
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
}
