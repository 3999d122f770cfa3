import type { Device, DeviceRule, MountConfig } from "./runtime-config.ts";

/** A device with what a specification says about it in other places. */
export interface SpecDevice extends Device {
  /** Of `rwm`; all when absent. */
  readonly access?: string;
  /** The node on the host, where it is not at the same path. */
  readonly source?: string;
}

/**
 * The devices that every container has (config-linux.md, "Default Devices"). Runtimes make them unasked, by mknod(2) or, in
 * a user namespace, by bind mounts: so a spec does not list them, but allows them.
 */
export const defaultDevices: readonly Device[] = [
  { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o666 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 0o666 },
  { path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 0o666 },
  { path: "/dev/random", type: "c", major: 1, minor: 8, fileMode: 0o666 },
  { path: "/dev/urandom", type: "c", major: 1, minor: 9, fileMode: 0o666 },
  { path: "/dev/tty", type: "c", major: 5, minor: 0, fileMode: 0o666 },
];

/** Beside the default devices: the console, the pty multiplexer and ptys. Not /dev/net/tun, which runc before 1.2 let through. */
const terminals = [
  { type: "c", major: 5, minor: 1 },
  { type: "c", major: 5, minor: 2 },
  { type: "c", major: 136 },
] as const;

/** Nothing opens but the above and `extra`; any node may be made (CAP_MKNOD is a default capability), which alone opens nothing. */
export function deviceRules(extra: readonly SpecDevice[] = []): DeviceRule[] {
  const allow = ({ type, major, minor, access = "rwm" }: Omit<Device, "path"> & { readonly access?: string }): DeviceRule => ({
    allow: true,
    // A FIFO (`p`) is no device to the control group; `u` is another name for `c`.
    type: type === "b" ? "b" : "c",
    ...(major !== undefined && { major }),
    ...(minor !== undefined && { minor }),
    access,
  });
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...[...defaultDevices, ...terminals].map((device) => allow(device)),
    ...extra.filter(({ type }) => type !== "p").map(allow),
  ];
}

/** Where mknod(2) is not allowed, the host's own node stands in for each device. */
export function deviceMounts(devices: readonly SpecDevice[]): MountConfig[] {
  return devices.map(({ path, source = path }) => ({ destination: path, type: "bind", source, options: ["bind", "nosuid", "noexec"] }));
}
