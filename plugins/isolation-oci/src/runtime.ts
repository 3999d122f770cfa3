import { accessSync, constants, readFileSync, realpathSync, statfsSync } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";

/** Tried in this order when nobody says which. */
export const knownRuntimes = ["runc", "crun", "youki"] as const;

export type Runtime = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string };

export interface RuntimeSearch {
  /** A path, or a name to look for; absent: the known ones. */
  readonly runtime?: string | undefined;
  /** PATH. */
  readonly path: string;
  /** Where control groups are mounted. */
  readonly cgroups?: string;
}

/** Runs nothing: a probe must be cheap, and Go takes 10 ms to say its version. */
export function findRuntime({ runtime, path, cgroups = "/sys/fs/cgroup" }: RuntimeSearch): Runtime {
  const reasons: string[] = [];
  for (const name of runtime === undefined ? knownRuntimes : [runtime]) {
    const found = isAbsolute(name) ? [name] : path.split(delimiter).map((directory) => join(directory, name));
    const program = found.find(isExecutable);
    const refusal = program === undefined ? `${name} is not ${isAbsolute(name) ? "executable" : "in PATH"}` : refusalOf(program, cgroups);
    if (program !== undefined && refusal === undefined) return { ok: true, path: program };
    if (refusal !== undefined) reasons.push(refusal);
  }
  return { ok: false, reason: reasons.join("; ") };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why this runtime would not work on this machine: better said here than by every container. */
function refusalOf(program: string, cgroups: string): string | undefined {
  if (basename(realpathSync(program)) !== "crun") return undefined;
  const controllers = unifiedControllers(cgroups);
  if (controllers === "") return undefined;
  return `crun refuses this machine's hybrid control groups: the version 2 hierarchy has controllers (${controllers})`;
}

const cgroup2Magic = 0x63677270;

/** Those of a version 2 hierarchy beside version 1 ones (systemd's "hybrid" layout); empty with any other layout. */
function unifiedControllers(cgroups: string): string {
  try {
    if (statfsSync(cgroups).type === cgroup2Magic) return "";
    return readFileSync(join(cgroups, "unified/cgroup.controllers"), "utf8").trim();
  } catch {
    return ""; // no such hierarchy
  }
}
