import type { Volume } from "@ramekin/engine";

const orNull = (map: Readonly<Record<string, string>>) => (Object.keys(map).length > 0 ? map : null);

/** In the shape of `docker volume inspect`. */
export function describeVolume({ name, driver, createdAt, labels, options, mountpoint }: Volume): object {
  return {
    CreatedAt: createdAt.toISOString(),
    Driver: driver,
    Labels: orNull(labels),
    Mountpoint: mountpoint,
    Name: name,
    Options: orNull(options),
    Scope: "local",
  };
}
