import type { Signal } from "./signal.ts";

/**
 * What a supervisor does of its own accord over a container's life: nobody else may be there. All of it is data, as the
 * clean-up list is.
 */
export interface Supervision {
  readonly restart?: RestartPolicy;
  readonly health?: HealthCheck;
  /** Of each run, from its start: then it is killed, with exit code 255. */
  readonly timeLimitMs?: number;
  /** The container is killed when this process has ended; FAILED_PRECONDITION from `create` when it has already. */
  readonly dieWith?: ProcessIdentity;
  /** How it wants to be stopped, where the supervisor does that; SIGTERM and 10 s when absent. */
  readonly stop?: StopOptions;
}

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTime: number;
}

export interface StopOptions {
  readonly signal: Signal;
  /** Then SIGKILL; negative: never. */
  readonly timeoutMs: number;
}

/**
 * Whether the program runs again when it has ended: after 100 ms, twice as long each time, a minute at most, and 100 ms again
 * after a run of ten seconds. A `kill` that is `final` ends the policy until the container is started again.
 */
export interface RestartPolicy {
  readonly name: "no" | "on-failure" | "always" | "unless-stopped";
  /** Of `on-failure`; absent or 0: no end. */
  readonly maximumRetryCount?: number;
}

/** A program that runs in the container every so often, as the first one runs: its exit status 0 means healthy. */
export interface HealthCheck {
  readonly args: readonly [string, ...string[]];
  /** From the end of one check to the beginning of the next. */
  readonly intervalMs: number;
  /** A check that takes longer is killed, with all that it has started, and has failed. */
  readonly timeoutMs: number;
  /** So many failures in a row make it unhealthy. */
  readonly retries: number;
  /** From the start: until then failures do not count while it has never been healthy. */
  readonly startPeriodMs?: number;
  /** In place of `intervalMs`, in that period, while it has never been healthy. */
  readonly startIntervalMs: number;
  /** What happens when it becomes unhealthy. `kill` leaves the rest to the restart policy, `restart` asks none. */
  readonly onFailure?: "none" | "kill" | "restart" | "stop";
  /** Comes first: until it has passed, the check itself does not run. Then that follows at once. */
  readonly startup?: StartupCheck;
}

/** How a program that takes long to start is asked whether it has. Its results are in the log, and the status is `starting`. */
export interface StartupCheck extends Pick<HealthCheck, "args" | "intervalMs" | "timeoutMs"> {
  /** So many failures in a run, and the container is started again, whatever its restart policy; absent or 0: never. */
  readonly retries?: number;
  /** So many successes in a run, not necessarily in a row, and it has passed; absent or 0: one. */
  readonly successes?: number;
}

export type HealthStatus = "starting" | "healthy" | "unhealthy";

export interface Health {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly HealthResult[];
}

export interface HealthResult {
  readonly start: Date;
  readonly end: Date;
  /** −1: it took too long, or could not run. */
  readonly exitCode: number;
  /** The first 4096 bytes of both its streams. */
  readonly output: string;
}
