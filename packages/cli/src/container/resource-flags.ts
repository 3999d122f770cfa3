import type { Flags } from "../verb.ts";

/** Limits that `update` changes as well. */
export const limitFlags = {
  "blkio-weight": { type: "int", value: "uint16", summary: "Block IO (relative weight), between 10 and 1000, or 0 to disable" },
  "cpu-period": { type: "int", summary: "Limit CPU CFS (Completely Fair Scheduler) period, in microseconds" },
  "cpu-quota": { type: "int", summary: "Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds" },
  "cpu-rt-period": { type: "int", summary: "Limit CPU real-time period in microseconds" },
  "cpu-rt-runtime": { type: "int", summary: "Limit CPU real-time runtime in microseconds" },
  "cpu-shares": { type: "int", short: "c", summary: "CPU shares (relative weight)" },
  cpus: { type: "decimal", summary: "Number of CPUs" },
  "cpuset-cpus": { type: "string", value: "list", summary: "CPUs in which to allow execution (0-3, 0,1)" },
  "cpuset-mems": { type: "string", value: "list", summary: "Memory nodes (MEMs) in which to allow execution (0-3, 0,1)" },
  memory: { type: "bytes", short: "m", summary: "Memory limit" },
  "memory-reservation": { type: "bytes", summary: "Memory soft limit" },
  "memory-swap": { type: "string", value: "bytes", summary: "Limit of memory and swap together: -1 to enable unlimited swap" },
  "pids-limit": { type: "int", summary: "Tune container pids limit (set -1 for unlimited)" },
} as const satisfies Flags;

/** Of single devices; `update` changes these, too. */
export const deviceLimitFlags = {
  "blkio-weight-device": { type: "list", value: "path:weight", summary: "Block IO weight (relative device weight)" },
  "device-read-bps": { type: "list", value: "path:rate", summary: "Limit read rate (bytes per second) from a device" },
  "device-read-iops": { type: "list", value: "path:rate", summary: "Limit read rate (IO per second) from a device" },
  "device-write-bps": { type: "list", value: "path:rate", summary: "Limit write rate (bytes per second) to a device" },
  "device-write-iops": { type: "list", value: "path:rate", summary: "Limit write rate (IO per second) to a device" },
  "memory-swappiness": { type: "int", summary: "Tune container memory swappiness (0 to 100; cgroup v1)" },
} as const satisfies Flags;

/** What else a new container may use. */
export const resourceFlags = {
  ...limitFlags,
  ...deviceLimitFlags,
  "cgroup-conf": { type: "list", value: "file=value", summary: "Write to files of the container's control group (cgroup v2)" },
  "cgroup-parent": { type: "string", value: "path", summary: "Control group in which the container's is made" },
  device: { type: "list", value: "path[:path][:rwm]", summary: "Add a host device to the container", complete: "file" },
  "device-cgroup-rule": { type: "list", value: "rule", summary: 'Allow devices by number ("c 10:* rwm")' },
  gpus: { type: "string", value: "gpu-request", summary: "GPU devices to add to the container ('all' to pass all GPUs)" },
  "oom-kill-disable": { type: "boolean", summary: "Disable OOM Killer (cgroup v1)" },
  "oom-score-adj": { type: "int", summary: "Tune host's OOM preferences (-1000 to 1000)" },
  "shm-size": { type: "bytes", summary: "Size of /dev/shm" },
  sysctl: { type: "list", value: "name=value", summary: "Sysctl options" },
  ulimit: { type: "list", value: "name=soft[:hard]", summary: "Ulimit options" },
} as const satisfies Flags;
