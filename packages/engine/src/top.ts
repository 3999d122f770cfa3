import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";
import { RamekinError } from "@ramekin/core";
import type { ContainerConfig, ContainerProcesses } from "./api.ts";
import { tell } from "./container-event.ts";
import { parallel } from "./parallel.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.top`. The `ps` is the host's: that of an image must never be asked about processes, and may not even be there. */
export async function top(scope: Scope, config: ContainerConfig, options: readonly string[] = ["-ef"]): Promise<ContainerProcesses> {
  // `-o user=PID` would have the column of users taken for that of pids
  const renamed = / (\S*)=\s*(PID\S*)/.exec(` ${options.join(" ")}`);
  if (renamed && renamed[1] !== "pid") throw new RamekinError("INVALID_ARGUMENT", `ps: ${renamed[1]}=${renamed[2]} is not allowed`);
  const { status, state } = await currentState(scope, config);
  const first = state.file?.pid;
  const pids = status === "running" || status === "paused" ? await processesOf(first) : new Set<number>();
  if (pids.size === 0) throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is not running`);
  const found = select(await listing(options, pids), pids);
  tell(scope, config, "top");
  return found;
}

/** All that are in the pid namespace of the first process, and what these have put into namespaces of their own. */
async function processesOf(first: number | undefined): Promise<Set<number>> {
  const namespace = first === undefined ? undefined : await namespaceOf(first);
  if (namespace === undefined) return new Set();
  const all = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const known = await parallel(all, 32, async (pid) => ({
    pid,
    parent: await parentOf(pid),
    inside: (await namespaceOf(pid)) === namespace,
  }));
  const members = new Set(known.filter(({ inside }) => inside).map(({ pid }) => pid));
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of known) if (parent !== undefined && members.has(parent)) members.add(pid);
  }
  return members;
}

/** Undefined when it has ended, or is not ours to look at. */
const namespaceOf = (pid: number) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);

/** Field 4 of proc_pid_stat(5); the name before it may hold anything, parentheses too. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** As Docker: only these if `ps` lets itself be told with the options, such as `f`, that somebody wants; else of all. */
async function listing(options: readonly string[], pids: ReadonlySet<number>): Promise<string> {
  try {
    return await ps([...options, `-q${[...pids].join(",")}`]);
  } catch {
    return await ps(options);
  }
}

async function ps(options: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)("ps", [...options], { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code === "ENOENT")
      throw new RamekinError("UNSUPPORTED", "there is no ps on this machine", { hint: "install procps", cause: error });
    const said = stderr?.split("\n").find((line) => line.trim() !== "");
    throw new RamekinError("INVALID_ARGUMENT", `ps ${options.join(" ")}: ${said ?? "failed"}`, { cause: error });
  }
}

/** The lines of these processes, as cells; what is left over at the end of a line belongs to the last. */
export function select(text: string, pids: ReadonlySet<number>): ContainerProcesses {
  const [head = [], ...lines] = text
    .split("\n")
    .map((line) => line.split(/[ \t]+/).filter((cell) => cell !== ""))
    .filter((cells) => cells.length > 0);
  const column = head.indexOf("PID");
  if (column < 0)
    throw new RamekinError("INVALID_ARGUMENT", "no column PID in what ps says", { hint: "add it to the options, such as -o pid,comm" });
  const last = head.length - 1;
  let shown = false;
  const processes = lines.filter((cells) => {
    // threads follow their process, with a dash for the pid
    if (cells[column] !== "-") shown = pids.has(Number(cells[column]));
    return shown;
  });
  return { titles: head, processes: processes.map((cells) => [...cells.slice(0, last), cells.slice(last).join(" ")]) };
}
