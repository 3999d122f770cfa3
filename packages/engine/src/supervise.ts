import { type HealthCheck, Objections, RamekinError, type StartupCheck, type Supervision } from "@ramekin/core";
import type { Healthcheck, ImageRunConfig } from "@ramekin/oci";
import type { ContainerConfig, ContainerOptions, HealthOptions } from "./api.ts";
import { startTimeOf } from "./store/liveness.ts";

/** All that is wrong with it at once. */
export function checkSupervision({ restartPolicy, autoRemove, health = {}, timeLimit }: ContainerOptions): void {
  const objections = new Objections();
  const wrong = (message: string, hint?: string) => objections.add("INVALID_ARGUMENT", message, hint);
  if (restartPolicy && restartPolicy.name !== "no") {
    if (autoRemove)
      wrong("a container cannot be both restarted and removed when it ends", "leave out --rm (autoRemove), or the restart policy");
    const { name, maximumRetryCount: most } = restartPolicy;
    if (most !== undefined && name !== "on-failure") wrong(`a number of retries goes with on-failure only, not with ${name}`);
    if (most !== undefined && !(Number.isInteger(most) && most >= 0 && most < 2 ** 31)) wrong(`${most} is no number of retries`);
  }
  for (const field of ["intervalMs", "timeoutMs", "startPeriodMs", "startIntervalMs"] as const) {
    const value = health[field];
    // Docker's bound; 0 is "as the image has it"
    if (value !== undefined && value !== 0 && !(value >= 1)) wrong(`the health check's ${field} of ${value} is less than a millisecond`);
  }
  if (health.retries !== undefined && !(Number.isInteger(health.retries) && health.retries >= 0))
    wrong(`${health.retries} is no number of retries of a health check`);
  const { startup } = health;
  for (const field of ["intervalMs", "timeoutMs"] as const) {
    const value = startup?.[field];
    if (value !== undefined && value !== 0 && !(value >= 1)) wrong(`the startup check's ${field} of ${value} is less than a millisecond`);
  }
  for (const field of ["retries", "successes"] as const) {
    const value = startup?.[field];
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) wrong(`${value} is no number of ${field} of a startup check`);
  }
  if (startup && health.test?.[0] === "NONE") wrong("a startup check goes before a health check, and there is to be none");
  if (timeLimit !== undefined && !(timeLimit >= 0)) wrong(`a time limit of ${timeLimit} seconds`);
  objections.raise();
}

/** What is checked, of the image's HEALTHCHECK and what was asked for; undefined: nothing. */
export function healthCheck(image: ImageRunConfig, asked: HealthOptions = {}): HealthCheck | undefined {
  const given: Healthcheck = image.Healthcheck ?? {};
  const args = commandOf(image, asked.test ?? given.Test ?? []);
  const first = asked.startup && commandOf(image, asked.startup.test);
  if (!isCommand(args)) {
    if (first === undefined) return undefined;
    throw new RamekinError("INVALID_ARGUMENT", "a startup check goes before a health check, and there is none", {
      hint: "neither the image nor --health-cmd has one: add --health-cmd",
    });
  }
  const ms = (own: number | undefined, nanoseconds: number | undefined, usual: number) =>
    Math.ceil(own || (nanoseconds ? nanoseconds / 1e6 : usual));
  return {
    args,
    intervalMs: ms(asked.intervalMs, given.Interval, 30_000),
    timeoutMs: ms(asked.timeoutMs, given.Timeout, 30_000),
    retries: asked.retries || given.Retries || 3,
    startPeriodMs: ms(asked.startPeriodMs, given.StartPeriod, 0),
    startIntervalMs: ms(asked.startIntervalMs, given.StartInterval, 5000),
    ...(asked.onFailure && asked.onFailure !== "none" && { onFailure: asked.onFailure }),
    ...(first && isCommand(first) && { startup: startupCheck(first, asked.startup) }),
  };
}

function startupCheck(
  args: readonly [string, ...string[]],
  { intervalMs, timeoutMs, retries, successes }: Partial<StartupCheck> = {},
): StartupCheck {
  return {
    args,
    intervalMs: Math.ceil(intervalMs || 30_000),
    timeoutMs: Math.ceil(timeoutMs || 30_000),
    ...(retries && { retries }),
    ...(successes && { successes }),
  };
}

function commandOf(image: ImageRunConfig, [kind, ...words]: readonly string[]): readonly string[] {
  if (kind === "CMD-SHELL") return [...(image.Shell ?? ["/bin/sh", "-c"]), ...words];
  return kind === "CMD" ? words : [];
}

const isCommand = (args: readonly string[]): args is [string, ...string[]] => args.length > 0;

/** What the supervisor of the next run is told; undefined: nothing to do for it. */
export function supervisionOf({ options, health, stopSignal, stopTimeout }: ContainerConfig): Supervision | undefined {
  const { restartPolicy, timeLimit, dieWithParent } = options;
  const asked: Supervision = {
    ...(restartPolicy && restartPolicy.name !== "no" && { restart: restartPolicy }),
    ...(health && { health }),
    ...(timeLimit && { timeLimitMs: Math.ceil(timeLimit * 1000) }),
    ...(dieWithParent && { dieWith: { pid: process.pid, startTime: startTimeOf(process.pid) } }),
  };
  if (Object.keys(asked).length === 0) return undefined;
  return { ...asked, stop: { signal: stopSignal, timeoutMs: stopTimeout * 1000 } };
}

export const cannotSupervise = (driver: string) =>
  new RamekinError("UNSUPPORTED", `isolation driver ${driver} knows no restart policies, health checks, time limits and parents`, {
    hint: "choose another with --isolation, or leave them out",
  });
