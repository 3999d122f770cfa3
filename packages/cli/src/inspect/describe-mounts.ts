import type { ContainerDetails, MountPoint } from "@ramekin/engine";

/** A line of `Mounts`, as `docker inspect` has it. */
export function describeMount({ type, name, source, destination, driver, mode, writable, propagation, subpath }: MountPoint): object {
  const told = {
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
  // To Docker these are fields of a struct: a template may ask for them of every mount. A listing has none of them.
  const absent = ["Name", "Driver"].filter((field) => !Object.hasOwn(told, field));
  return Object.defineProperties(told, Object.fromEntries(absent.map((field) => [field, { value: "", enumerable: false }])));
}

/** What of `HostConfig` is about mounts. */
export function describeHostMounts({ config: { options }, mounts }: ContainerDetails): object {
  const bound = mounts.filter(({ type, anonymous }) => type === "bind" || (type === "volume" && !anonymous));
  const memory = mounts.filter(({ words }) => words !== undefined);
  return {
    Binds: bound.map(
      ({ type, name, source, destination, mode }) => `${type === "volume" ? name : source}:${destination}${mode && `:${mode}`}`,
    ),
    VolumesFrom:
      options.volumesFrom?.map(({ container, readOnly }) => `${container}${readOnly === undefined ? "" : readOnly ? ":ro" : ":rw"}`) ??
      null,
    ...(memory.length > 0 && { Tmpfs: Object.fromEntries(memory.map(({ destination, words }) => [destination, words])) }),
  };
}
