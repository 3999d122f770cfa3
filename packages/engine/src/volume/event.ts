import type { ContainerConfig, MountPoint } from "../api.ts";

/** Of the events `mount` and `unmount`, as Docker has them. */
export function mountAttributes(
  { id }: Pick<ContainerConfig, "id">,
  { destination, driver = "local", writable, propagation }: MountPoint,
): Readonly<Record<string, string>> {
  return { container: id, destination, driver, propagation, "read/write": String(writable) };
}
