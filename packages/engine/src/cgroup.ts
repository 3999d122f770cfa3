import { constants } from "node:fs";
import { access, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { RamekinError, type Resources } from "@ramekin/core";
import type { EngineInfo } from "./api.ts";
import { isThere } from "./store/containers.ts";

const mountPoint = "/sys/fs/cgroup";
/** CGROUP2_SUPER_MAGIC, linux/magic.h. */
const cgroup2 = 0x63677270;

/** Which hierarchies this machine has: v2 alone, v1 controllers, or these with a v2 hierarchy beside them. */
export async function cgroupMode(): Promise<EngineInfo["cgroup"]> {
  if (!(await isThere(mountPoint))) return "none";
  if ((await statfs(mountPoint)).type === cgroup2) return "v2";
  if (!(await isThere(join(mountPoint, "memory"))) && !(await isThere(join(mountPoint, "cpu")))) return "none";
  return (await isThere(join(mountPoint, "unified"))) ? "hybrid" : "v1";
}

/**
 * Where a container's control group goes, absolute in each hierarchy: `/ramekin/<id>`, or without root below the one that we are
 * in. `parent` takes the place of `/ramekin`. Undefined where we may make none: then the container runs in ours, without limits.
 */
export async function cgroupPath(id: string, rootless: boolean, parent = "ramekin"): Promise<string | undefined> {
  if (!rootless) return join("/", parent, id);
  return (await cgroupsWritable(true)) ? join(await ownCgroup(), parent, id) : undefined;
}

/** Refuses a limit that nothing would enforce. Without one there is nothing to look at. */
export async function checkLimits(resources: Resources | undefined, rootless: boolean): Promise<void> {
  const asked = Object.entries(resources ?? {}).filter(([, limit]) => limit !== undefined && Object.keys(limit as object).length > 0);
  if (asked.length === 0 || (await cgroupsWritable(rootless))) return;
  throw new RamekinError(
    "FAILED_PRECONDITION",
    `cannot limit ${asked.map(([kind]) => kind).join(", ")}: control groups are not writable here`,
    {
      hint: rootless
        ? "ask the system to delegate a control group (systemd: `Delegate=yes` for user@.service), or run without limits"
        : "remount /sys/fs/cgroup writable, or run without limits",
    },
  );
}

export async function cgroupsWritable(rootless: boolean): Promise<boolean> {
  const mode = await cgroupMode();
  if (mode === "none" || (rootless && mode !== "v2")) return false;
  const directory =
    mode === "v2"
      ? join(mountPoint, rootless ? await ownCgroup() : "")
      : join(mountPoint, (await isThere(join(mountPoint, "memory"))) ? "memory" : "cpu");
  return access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function ownCgroup(): Promise<string> {
  const lines = (await readFile("/proc/self/cgroup", "utf8")).split("\n");
  return lines.find((line) => line.startsWith("0::"))?.slice(3) ?? "/";
}
