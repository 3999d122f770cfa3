import { dirname } from "node:path";
import type { Health, HealthCheck, IdMapping, StartupCheck } from "@ramekin/core";
import type { ContainerDetails } from "@ramekin/engine";
import { describeHostMounts, describeMount } from "./describe-mounts.ts";
import { describeResources } from "./describe-resources.ts";
import { describeSecurity } from "./describe-security.ts";

const never = "0001-01-01T00:00:00Z";

/** In the shape of `docker inspect`, as far as there is something to say: scripts read these fields. */
export function describeContainer(container: ContainerDetails): object {
  const { config, exit, status } = container;
  const { options } = config;
  const attached = options.attach ?? [];
  const [path = "", ...rest] = container.command;
  return {
    Id: container.id,
    Created: container.createdAt.toISOString(),
    Path: path,
    Args: rest,
    State: {
      Status: status,
      // as in Docker: it does not run, but is not to be started or removed either
      Running: status === "running" || status === "paused" || status === "restarting",
      Paused: status === "paused",
      Restarting: status === "restarting",
      OOMKilled: exit?.oomKilled ?? false,
      Dead: status === "dead",
      Pid: container.pid ?? 0,
      ExitCode: exit?.code ?? 0,
      Error: exit?.error ?? "",
      StartedAt: container.startedAt?.toISOString() ?? never,
      FinishedAt: exit?.exitedAt.toISOString() ?? never,
      ...(container.healthLog && { Health: describeHealth(container.healthLog) }),
    },
    Image: container.imageId,
    // the bundle stands in the container's folder
    HostnamePath: `${dirname(container.bundle)}/hostname`,
    HostsPath: `${dirname(container.bundle)}/hosts`,
    ResolvConfPath: `${dirname(container.bundle)}/resolv.conf`,
    LogPath: container.logPath ?? "",
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    ...(container.droppedRecords !== undefined && { LogDroppedRecords: container.droppedRecords }),
    Driver: config.storage.driver,
    Platform: "linux",
    HostConfig: describeHost(container),
    Mounts: container.mounts.filter(({ words }) => words === undefined).map(describeMount),
    Config: {
      Hostname: options.hostname ?? container.id.slice(0, 12),
      Domainname: options.domainname ?? "",
      User: options.user ?? "",
      ExposedPorts: options.expose && Object.fromEntries(options.expose.map((port) => [port, {}])),
      AttachStdin: attached.includes("stdin"),
      AttachStdout: attached.includes("stdout"),
      AttachStderr: attached.includes("stderr"),
      Tty: options.tty ?? false,
      OpenStdin: (options.stdin ?? "closed") !== "closed",
      StdinOnce: options.stdin === "once",
      Env: container.env,
      Cmd: options.command ?? null,
      Entrypoint: options.entrypoint ?? null,
      Image: options.image,
      Volumes: container.volumes.length > 0 ? Object.fromEntries(container.volumes.map((target) => [target, {}])) : null,
      WorkingDir: options.workdir ?? "",
      Labels: container.labels,
      StopSignal: config.stopSignal,
      StopTimeout: config.stopTimeout,
      ...(config.health && { Healthcheck: describeHealthCheck(config.health) }),
      ...(config.health?.startup && { StartupHealthCheck: describeStartupCheck(config.health.startup) }),
    },
    NetworkSettings: { Ports: {}, Networks: { [container.network]: {} } },
    Bundle: container.bundle,
  };
}

/** As Podman has them. */
const mapText = ({ containerID, hostID, size }: IdMapping) => `${containerID}:${hostID}:${size}`;

function describeHost(container: ContainerDetails): object {
  const { config, network } = container;
  const { options } = config;
  return {
    ...describeHostMounts(container),
    LogConfig: { Type: config.log.driver, Config: config.log.options },
    NetworkMode: network,
    AutoRemove: options.autoRemove ?? false,
    RestartPolicy: { Name: options.restartPolicy?.name ?? "no", MaximumRetryCount: options.restartPolicy?.maximumRetryCount ?? 0 },
    ReadonlyRootfs: options.readOnly ?? false,
    Init: options.init ?? false,
    Isolation: config.isolation.driver,
    ...describeResources(options),
    ...describeSecurity(options),
    GroupAdd: options.groups ?? null,
    ExtraHosts: options.extraHosts ?? null,
    Dns: options.dns?.servers ?? [],
    DnsOptions: options.dns?.options ?? [],
    DnsSearch: options.dns?.search ?? [],
    Annotations: options.annotations,
    Runtime: options.runtime ?? "",
    PidMode: options.pid ?? "",
    IpcMode: options.ipc ?? "private",
    UTSMode: options.uts ?? "",
    UsernsMode: options.userns ?? (config.idMap ? "private" : ""),
    ...(config.idMap && { IDMappings: { UidMap: config.idMap.uids.map(mapText), GidMap: config.idMap.gids.map(mapText) } }),
    CgroupnsMode: options.cgroupns ?? "private",
  };
}

function describeHealth({ status, failingStreak, log }: Health): object {
  const results = log.map(({ start, end, exitCode, output }) => ({
    Start: start.toISOString(),
    End: end.toISOString(),
    ExitCode: exitCode,
    Output: output,
  }));
  return { Status: status, FailingStreak: failingStreak, Log: results };
}

/** As Podman has it. */
const describeStartupCheck = ({ args, intervalMs, timeoutMs, retries = 0, successes = 0 }: StartupCheck): object => ({
  Test: ["CMD", ...args],
  Interval: intervalMs * 1e6,
  Timeout: timeoutMs * 1e6,
  Retries: retries,
  Successes: successes,
});

/** Durations in nanoseconds, as Docker has them. */
function describeHealthCheck({ args, intervalMs, timeoutMs, startPeriodMs = 0, startIntervalMs, retries, onFailure }: HealthCheck): object {
  const nanoseconds = (ms: number) => ms * 1e6;
  return {
    Test: ["CMD", ...args],
    Interval: nanoseconds(intervalMs),
    Timeout: nanoseconds(timeoutMs),
    StartPeriod: nanoseconds(startPeriodMs),
    StartInterval: nanoseconds(startIntervalMs),
    Retries: retries,
    ...(onFailure && { OnFailure: onFailure }),
  };
}
