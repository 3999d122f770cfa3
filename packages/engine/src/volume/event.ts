import type { ContainerConfig, MountPoint } from "../api.ts";

/** Of the event `mount`, as Docker has it. */
export function mountAttributes(
  { id }: Pick<ContainerConfig, "id">,
  { destination, driver = "local", writable, propagation }: MountPoint,
): Readonly<Record<string, string>> {
  return { container: id, destination, driver, propagation, "read/write": String(writable) };
}
