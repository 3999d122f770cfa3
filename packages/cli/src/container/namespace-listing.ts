import { readlink } from "node:fs/promises";
import type { ContainerInfo } from "@ramekin/engine";
import type { Listing, Row } from "../format/listing.ts";

const kinds = { CGROUPNS: "cgroup", IPC: "ipc", MNT: "mnt", NET: "net", PIDNS: "pid", USERNS: "user", UTS: "uts" } as const;

/** `ps --ns`, as Podman has it: the namespaces of the first processes, by their inode numbers. */
export async function namespaceListing(containers: readonly ContainerInfo[], plain: Listing): Promise<Listing> {
  const rows = await Promise.all(
    containers.map(async (container, index) => ({ ...plain.rows[index], ...(await namespacesOf(container)) })),
  );
  return { ...plain, rows, columns: ["ID", "Names", "Pid", ...Object.keys(kinds)], headings: { ...plain.headings, Pid: "PID" } };
}

async function namespacesOf({ pid }: ContainerInfo): Promise<Row> {
  const found = Object.entries(kinds).map(async ([column, kind]) => [column, await inodeOf(pid, kind)] as const);
  return { Pid: String(pid ?? 0), ...Object.fromEntries(await Promise.all(found)) };
}

/** Nothing of a process that has ended, or is none of ours. */
async function inodeOf(pid: number | undefined, kind: string): Promise<string> {
  if (pid === undefined) return "";
  const link = await readlink(`/proc/${pid}/ns/${kind}`).catch(() => "");
  return /\[(\d+)\]/.exec(link)?.[1] ?? "";
}
