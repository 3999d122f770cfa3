import { mkdtemp, readFile, readlink, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WithMounts } from "./suite.ts";

/** Why nothing can be mounted here without others seeing it; undefined when all is well. */
export async function cannotMount(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "mounting needs root";
  const own = await readlink("/proc/self/ns/mnt");
  // Up to pid 1, whose namespace not even root may look at everywhere.
  for (let pid = process.ppid; pid > 0; pid = await parentOf(pid)) {
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => own);
    if (namespace !== own) return undefined;
  }
  return "not in a mount namespace of its own: run under `unshare -m --propagation private`";
}

/** proc_pid_stat(5); the second field, the name, may hold anything. */
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]);
}

/** In the mount namespace that the test is already in. */
export const mountsInNamespace: WithMounts = async (mounts, use) => {
  // Here, not above: suites that mount nothing run without the native parts.
  const { mount, unmount } = await import("@ramekin/native");
  const target = await mkdtemp(join(tmpdir(), "ramekin-mount-"));
  try {
    await mount(mounts, target);
    try {
      return await use(target);
    } finally {
      await unmount(target);
    }
  } finally {
    await rmdir(target);
  }
};
