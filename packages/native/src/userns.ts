import { accessSync, constants, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import type { IdMapping } from "@ramekin/core";

/** Maps of a user namespace, as the OCI runtime spec has them. */
export interface IdMaps {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/**
 * Maps for the calling user: own ids as 0, then the user's ranges in /etc/subuid and /etc/subgid, if there are any and
 * newuidmap(1) is installed; otherwise 0 alone, in which no other owner can be kept.
 */
export function rootlessUserns(): IdMaps {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const own = (hostID: number): IdMapping => ({ containerID: 0, hostID, size: 1 });
  const name = userName();
  const uids = ranges("/etc/subuid", uid, name);
  const gids = ranges("/etc/subgid", uid, name);
  // newuidmap(1) serves nobody without a name.
  const usable = name !== undefined && uids.length > 0 && gids.length > 0 && installed("newuidmap") && installed("newgidmap");
  return usable ? { uids: [own(uid), ...uids], gids: [own(gid), ...gids] } : { uids: [own(uid)], gids: [own(gid)] };
}

/** subuid(5): `name or uid:first:count`; several lines add up. Container ids go on from 1. */
function ranges(file: string, uid: number, name: string | undefined): IdMapping[] {
  const names = new Set([String(uid), name]);
  const found: IdMapping[] = [];
  let next = 1;
  for (const line of readLines(file)) {
    const [owner = "", first = "", count = ""] = line.split(":");
    const [hostID, size] = [Number(first), Number(count)];
    if (!names.has(owner.trim()) || !Number.isSafeInteger(hostID) || !Number.isSafeInteger(size) || size <= 0) continue;
    found.push({ containerID: next, hostID, size });
    next += size;
  }
  return found;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in passwd(5).
    return undefined;
  }
}

function installed(program: string): boolean {
  return (process.env["PATH"] ?? "/usr/bin:/bin").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
