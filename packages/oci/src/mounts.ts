import type { IdMapping } from "@ramekin/core";
import type { MountConfig } from "./runtime-config.ts";

/** Paths that are hidden: they tell about the host, or (kcore, keys) give it away. */
export const defaultMaskedPaths: readonly string[] = [
  ..."acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats".split(" ").map((name) => `/proc/${name}`),
  "/sys/devices/virtual/powercap", // power readings leak keys: CVE-2020-8694
  "/sys/firmware",
];

/** Paths that steer the host's kernel. */
export const defaultReadonlyPaths: readonly string[] = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);

export interface MountDefaults {
  /** Bytes of /dev/shm; 64 MiB when absent. */
  readonly shmSize?: number;
  /**
   * Without root, in a user namespace: group 5 (tty) is seldom mapped, a cgroup v1 hierarchy cannot be mounted, and a new sysfs
   * only for a network namespace of one's own, so the host's is bound, read-only.
   */
  readonly rootless?: boolean;
  /** Of the container's user namespace: a group that it has not cannot own a terminal. */
  readonly idMap?: { readonly gids: readonly IdMapping[] };
  readonly withoutShm?: boolean;
  readonly writableSys?: boolean;
  readonly writableCgroups?: boolean;
}

/** What is mounted in every container, in this order. */
export function defaultMounts(defaults: MountDefaults = {}): MountConfig[] {
  const { idMap, shmSize = 64 << 20, rootless = false, withoutShm = false, writableSys = false, writableCgroups = false } = defaults;
  const hasTty =
    !rootless && (idMap === undefined || idMap.gids.some(({ containerID, size }) => containerID <= 5 && containerID + size > 5));
  const sealed = ["nosuid", "noexec", "nodev"];
  const access = (writable: boolean) => (writable ? "rw" : "ro");
  const sys: MountConfig = rootless
    ? { destination: "/sys", type: "bind", source: "/sys", options: ["rbind", "rprivate", ...sealed, "ro"] }
    : { destination: "/sys", type: "sysfs", source: "sysfs", options: [...sealed, access(writableSys)] };
  const cgroup: MountConfig = {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: [...sealed, "relatime", access(writableCgroups)],
  };
  return [
    { destination: "/proc", type: "proc", source: "proc", options: sealed },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(hasTty ? ["gid=5"] : [])],
    },
    ...(withoutShm
      ? []
      : [{ destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...sealed, "mode=1777", `size=${shmSize}`] }]),
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: sealed },
    sys,
    ...(rootless ? [] : [cgroup]),
  ];
}

/**
 * Defaults, then the user's, shallow ones first, so that none of these hides another. A user's mount on the target of a default
 * replaces it (`-v /dev/shm:/dev/shm`), and one on /dev all that is mounted below.
 */
export function mergeMounts(defaults: readonly MountConfig[], own: readonly MountConfig[]): MountConfig[] {
  const parts = ({ destination }: MountConfig) => destination.split("/").filter((part) => part !== "" && part !== ".");
  const taken = new Set(own.map((mount) => parts(mount).join("/")));
  const replaced = (mount: MountConfig) => taken.has(parts(mount).join("/")) || (taken.has("dev") && parts(mount)[0] === "dev");
  return [...defaults.filter((mount) => !replaced(mount)), ...[...own].sort((a, b) => parts(a).length - parts(b).length)];
}
