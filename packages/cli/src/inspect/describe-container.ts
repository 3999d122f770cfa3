import { dirname } from "node:path";
import type { BindMount, ContainerDetails, TmpfsMount } from "@ramekin/engine";
import { describeResources } from "./describe-resources.ts";

const never = "0001-01-01T00:00:00Z";

/** In the shape of `docker inspect`, as far as there is something to say: scripts read these fields. */
export function describeContainer(container: ContainerDetails): object {
  const { config, exit, status } = container;
  const { options } = config;
  const [path = "", ...rest] = container.command;
  return {
    Id: container.id,
    Created: container.createdAt.toISOString(),
    Path: path,
    Args: rest,
    State: {
      Status: status,
      Running: status === "running" || status === "paused",
      Paused: status === "paused",
      Restarting: false,
      OOMKilled: exit?.oomKilled ?? false,
      Dead: status === "dead",
      Pid: container.pid ?? 0,
      ExitCode: exit?.code ?? 0,
      Error: exit?.error ?? "",
      StartedAt: container.startedAt?.toISOString() ?? never,
      FinishedAt: exit?.exitedAt.toISOString() ?? never,
    },
    Image: container.imageId,
    // the bundle stands in the container's folder
    HostnamePath: `${dirname(container.bundle)}/hostname`,
    HostsPath: `${dirname(container.bundle)}/hosts`,
    ResolvConfPath: `${dirname(container.bundle)}/resolv.conf`,
    LogPath: container.logPath ?? "",
    Name: `/${container.name}`,
    RestartCount: 0,
    Driver: config.storage.driver,
    Platform: "linux",
    HostConfig: describeHost(container),
    Mounts: (options.mounts ?? []).map(describeMount),
    Config: {
      Hostname: options.hostname ?? container.id.slice(0, 12),
      User: options.user ?? "",
      Tty: options.tty ?? false,
      OpenStdin: (options.stdin ?? "closed") !== "closed",
      StdinOnce: options.stdin === "once",
      Env: Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
      Cmd: options.command ?? null,
      Entrypoint: options.entrypoint ?? null,
      Image: options.image,
      WorkingDir: options.workdir ?? "",
      Labels: container.labels,
      StopSignal: config.stopSignal,
      StopTimeout: config.stopTimeout,
    },
    NetworkSettings: { Ports: {}, Networks: { [container.network]: {} } },
    Bundle: container.bundle,
  };
}

function describeHost({ config, network }: ContainerDetails): object {
  const { options } = config;
  const binds = (options.mounts ?? []).filter((mount): mount is BindMount => mount.type === "bind");
  return {
    Binds: binds.map(({ source, target, readOnly }) => `${source}:${target}${readOnly ? ":ro" : ""}`),
    LogConfig: { Type: config.log.driver, Config: config.log.options },
    NetworkMode: network,
    AutoRemove: options.autoRemove ?? false,
    ReadonlyRootfs: options.readOnly ?? false,
    Init: options.init ?? false,
    Isolation: config.isolation.driver,
    ...describeResources(options),
  };
}

function describeMount(mount: BindMount | TmpfsMount): object {
  if (mount.type === "tmpfs")
    return { Type: "tmpfs", Source: "", Destination: mount.target, Mode: mount.options?.join(",") ?? "", RW: true, Propagation: "" };
  return {
    Type: "bind",
    Source: mount.source,
    Destination: mount.target,
    Mode: mount.readOnly ? "ro" : "",
    RW: !mount.readOnly,
    Propagation: mount.propagation ?? "rprivate",
  };
}
