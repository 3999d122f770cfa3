import { spawnSync } from "node:child_process";
import { constants } from "node:os";

/**
 * Goes on in a mount namespace of our own: whatever a contender mounts or leaves is gone with it. The empty cgroup v2
 * hierarchy of a hybrid layout is unmounted there, since crun refuses to run beside one; all contenders see the same.
 */
export function enterNamespace(): void {
  if (process.env["RAMEKIN_BENCH_NAMESPACE"] === "entered") return;
  const script = 'if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec "$@"';
  const { status, signal } = spawnSync(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", script, "bench", process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: "inherit", env: { ...process.env, RAMEKIN_BENCH_NAMESPACE: "entered" } },
  );
  process.exit(status ?? 128 + (signal ? constants.signals[signal] : 1));
}
