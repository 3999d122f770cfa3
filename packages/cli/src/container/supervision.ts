import { type Objections, RamekinError, type RestartPolicy } from "@ramekin/core";
import type { ContainerOptions, HealthOptions, StartupOptions, SupervisionOptions } from "@ramekin/engine";
import { defined } from "../values/defined.ts";
import { parseDuration } from "../values/duration.ts";
import type { FlagValues } from "../verb.ts";
import type { supervisionFlags } from "./supervision-flags.ts";

export type SupervisionFlagValues = FlagValues<typeof supervisionFlags>;

const invalid = (message: string, hint?: string) => new RamekinError("INVALID_ARGUMENT", message, hint === undefined ? {} : { hint });

/** All of `supervisionFlags`. */
export function supervisionOptions(
  flags: SupervisionFlagValues & { readonly rm: boolean },
  objections: Objections,
): SupervisionOptions & Pick<ContainerOptions, "log"> {
  const restartPolicy = objections.hear(() => parseRestartPolicy(flags.restart));
  if (flags.rm && restartPolicy && restartPolicy.name !== "no")
    objections.add("INVALID_ARGUMENT", "conflicting options: cannot specify both --restart and --rm");
  const health = healthOptions(flags, objections);
  return defined({
    restartPolicy: restartPolicy?.name === "no" ? undefined : restartPolicy,
    health: Object.keys(health).length > 0 ? health : undefined,
    timeLimit: flags.timeout || undefined,
    log: logOptions(flags, objections),
  });
}

/** `NAME` or `on-failure:N`, in Docker's words where it is wrong. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = "", count, ...rest] = text.split(":");
  if (name !== "" && name !== "no" && name !== "always" && name !== "unless-stopped" && name !== "on-failure")
    throw invalid(`invalid restart policy: unknown policy '${name}'`, "use one of 'no', 'always', 'on-failure[:n]' or 'unless-stopped'");
  if (rest.length > 0) throw invalid("invalid restart policy format: too many colons", "on-failure:3");
  if (count === undefined || count === "") return { name: name === "" ? "no" : name };
  if (!/^-?\d+$/.test(count)) throw invalid("invalid restart policy format: maximum retry count must be an integer", "on-failure:3");
  if (name !== "on-failure") throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (Number(count) < 0) throw invalid("invalid restart policy: maximum retry count cannot be negative");
  return { name, maximumRetryCount: Number(count) };
}

function healthOptions(flags: SupervisionFlagValues, objections: Objections): HealthOptions {
  const duration = (
    flag: `health-${"interval" | "timeout" | "start-period" | "start-interval" | "startup-interval" | "startup-timeout"}`,
  ) => objections.hear(() => readDuration(flag, flags[flag]));
  const retries = flags["health-retries"];
  if (retries !== undefined && retries < 0) objections.add("INVALID_ARGUMENT", "--health-retries cannot be negative");
  const onFailure = flags["health-on-failure"] as NonNullable<HealthOptions["onFailure"]>;
  const asked: HealthOptions = defined({
    test: flags["health-cmd"] ? (["CMD-SHELL", flags["health-cmd"]] as const) : undefined,
    intervalMs: duration("health-interval"),
    timeoutMs: duration("health-timeout"),
    startPeriodMs: duration("health-start-period"),
    startIntervalMs: duration("health-start-interval"),
    retries,
    onFailure: onFailure === "none" ? undefined : onFailure,
    startup: startupOptions(flags, duration, objections),
  });
  if (!flags["no-healthcheck"]) return asked;
  if (Object.keys(asked).length > 0) objections.add("INVALID_ARGUMENT", "--no-healthcheck conflicts with --health-* options");
  return { test: ["NONE"] };
}

/** As Podman has it. */
function startupOptions(
  flags: SupervisionFlagValues,
  duration: (flag: "health-startup-interval" | "health-startup-timeout") => number | undefined,
  objections: Objections,
): StartupOptions | undefined {
  const [retries, successes] = [flags["health-startup-retries"], flags["health-startup-success"]];
  for (const [flag, value] of Object.entries({ "health-startup-retries": retries, "health-startup-success": successes }))
    if (value !== undefined && value < 0) objections.add("INVALID_ARGUMENT", `--${flag} cannot be negative`);
  const times = { intervalMs: duration("health-startup-interval"), timeoutMs: duration("health-startup-timeout") };
  const command = flags["health-startup-cmd"];
  if (command) return { test: ["CMD-SHELL", command], ...defined({ ...times, retries, successes }) };
  if (Object.values({ ...times, retries, successes }).some((value) => value !== undefined))
    objections.add("INVALID_ARGUMENT", "there is no startup check that --health-startup-* could be about", "add --health-startup-cmd");
  return undefined;
}

export function readDuration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration === undefined) throw invalid(`invalid argument "${text}" for "--${flag}" flag: no duration`, "such as 30s, 1m30s or 500ms");
  if (duration < 0) throw invalid(`--${flag} cannot be negative`);
  return duration;
}

function logOptions(flags: SupervisionFlagValues, objections: Objections): ContainerOptions["log"] {
  const pairs = flags["log-opt"].map((text): [string, string] => {
    const at = text.indexOf("=");
    if (at < 1) objections.add("INVALID_ARGUMENT", `invalid logging option ${JSON.stringify(text)}`, "--log-opt NAME=VALUE");
    return [text.slice(0, at), text.slice(at + 1)];
  });
  const driver = flags["log-driver"];
  if (driver === "none" && pairs.length > 0) objections.add("INVALID_ARGUMENT", "invalid logging opts for driver none");
  if (driver === undefined && pairs.length === 0) return undefined;
  return { ...(driver !== undefined && { driver }), options: Object.fromEntries(pairs) };
}
