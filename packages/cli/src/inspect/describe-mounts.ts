import type { ContainerDetails, MountPoint } from "@ramekin/engine";

/** A line of `Mounts`, as `docker inspect` has it. */
export function describeMount({ type, name, source, destination, driver, mode, writable, propagation, subpath }: MountPoint): object {
  return {
    Type: type,
    ...(name !== undefined && { Name: name }),
    Source: source,
    Destination: destination,
    ...(driver !== undefined && { Driver: driver }),
    Mode: mode,
    RW: writable,
    Propagation: propagation,
    ...(subpath !== undefined && { SubPath: subpath }),
  };
}

/** What of `HostConfig` is about mounts. */
export function describeHostMounts({ config: { options }, mounts }: ContainerDetails): object {
  const bound = mounts.filter(({ type, anonymous }) => type === "bind" || (type === "volume" && !anonymous));
  const memory = (options.mounts ?? []).filter((mount) => mount.type === "tmpfs");
  return {
    Binds: bound.map(
      ({ type, name, source, destination, mode }) => `${type === "volume" ? name : source}:${destination}${mode && `:${mode}`}`,
    ),
    VolumesFrom:
      options.volumesFrom?.map(({ container, readOnly }) => `${container}${readOnly === undefined ? "" : readOnly ? ":ro" : ":rw"}`) ??
      null,
    ...(memory.length > 0 && { Tmpfs: Object.fromEntries(memory.map(({ target, options: words = [] }) => [target, words.join(",")])) }),
  };
}
