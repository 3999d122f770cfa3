import { type ExitStatus, type Health, type HealthStatus, RamekinError, type Signal } from "@ramekin/core";
import { readJsonIfThere, replaceFile } from "./files.ts";
import { bootId, isAlive } from "./liveness.ts";
import type { ContainerPaths } from "./paths.ts";

/** `state.json`, as ARCHITECTURE.md has it: written by the supervisor while it lives, by the engine under the container's lock otherwise. */
export interface StateFile {
  readonly version: 1;
  readonly status: "created" | "running" | "paused" | "restarting" | "stopped";
  readonly pid?: number;
  readonly startTime?: number;
  readonly bootId?: string;
  readonly startedAt?: string;
  readonly shim?: { readonly pid: number; readonly startTime: number };
  readonly exit?: {
    readonly code: number;
    readonly signal?: Signal;
    readonly oomKilled?: boolean;
    readonly error?: string;
    readonly exitedAt: string;
  };
  readonly restartCount?: number;
  /** Of the log: see `LogBuffer`. */
  readonly droppedRecords?: number;
  /** Somebody has ended it: whatever its restart policy says, it stays so. */
  readonly stoppedByHand?: boolean;
  readonly health?: {
    readonly status: HealthStatus;
    readonly failingStreak: number;
    readonly log: readonly { readonly start: string; readonly end: string; readonly exitCode: number; readonly output: string }[];
  };
}

/** What the file means now. `lost`: its supervisor is gone and nobody has written down how it ended. */
export type Liveness = "never-started" | "live" | "ended" | "lost";

export interface ReadState {
  readonly liveness: Liveness;
  readonly file?: StateFile;
  readonly exit?: ExitStatus;
}

export async function readState(paths: ContainerPaths): Promise<ReadState> {
  const file = await readJsonIfThere<StateFile>(paths.state);
  if (!file) return { liveness: "never-started" };
  if (file.version !== 1) throw new RamekinError("UNSUPPORTED", `${paths.state} has version ${String(file.version)}, this ramekin knows 1`);
  if (file.status === "stopped") return { liveness: "ended", file, exit: exitStatusOf(file) };
  if (file.bootId !== undefined && file.bootId !== (await bootId())) return { liveness: "ended", file, exit: lostAtBoot(file) };
  return { liveness: file.shim && (await isAlive(file.shim)) ? "live" : "lost", file };
}

export function exitStatusOf({ exit }: StateFile): ExitStatus {
  if (!exit) return { code: 255, error: "the state file has no exit status", exitedAt: new Date(0) };
  return { ...exit, exitedAt: new Date(exit.exitedAt) };
}

export function healthOf({ health }: StateFile): Health | undefined {
  if (!health) return undefined;
  return { ...health, log: health.log.map(({ start, end, ...rest }) => ({ ...rest, start: new Date(start), end: new Date(end) })) };
}

/** When exactly is not known; it ran until then at least. */
function lostAtBoot({ startedAt }: StateFile): ExitStatus {
  return { code: 255, error: "the machine was restarted", exitedAt: new Date(startedAt ?? 0) };
}

/** For a container that no supervisor ever took over, or whose supervisor has gone; under the container's lock. */
export async function writeExit(paths: ContainerPaths, exit: ExitStatus): Promise<void> {
  const before = await readJsonIfThere<StateFile>(paths.state);
  const { pid: _, startTime: __, shim: ___, ...kept } = before ?? { version: 1 };
  await replaceFile(
    paths.state,
    `${JSON.stringify({ ...kept, status: "stopped", exit: { ...exit, exitedAt: exit.exitedAt.toISOString() } })}\n`,
  );
}
