import type { Dirent, Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { Device, DeviceRule, SpecDevice } from "@ramekin/oci";
import { deviceNumber } from "./block-io.ts";
import type { DeviceOption } from "./resource-options.ts";
import { fileError, isGone } from "./store/files.ts";

/** The nodes that an option names: one, or of a directory all below it. */
export async function planDevice({ source, target = source, access = "rwm" }: DeviceOption): Promise<SpecDevice[]> {
  if (!source.startsWith("/") || !target.startsWith("/"))
    throw new RamekinError("INVALID_ARGUMENT", `device ${source}: paths of devices are absolute`);
  if (!/^[rwm]{1,3}$/.test(access)) {
    throw new RamekinError("INVALID_ARGUMENT", `device ${source}: no permissions: ${access}`, {
      hint: "of r (read), w (write), m (mknod)",
    });
  }
  let node: Stats;
  try {
    node = await stat(source);
  } catch (error) {
    if (isGone(error)) throw new RamekinError("NOT_FOUND", `device ${source} does not exist`, { cause: error });
    throw fileError(error, source);
  }
  const path = posix.resolve(target);
  if (node.isDirectory()) {
    const found = await nodesBelow(source, path);
    if (found.length === 0) throw new RamekinError("INVALID_ARGUMENT", `directory ${source} has no devices`);
    return found.map((device) => ({ ...device, access }));
  }
  const device = asDevice(node, path);
  if (device === undefined) throw new RamekinError("INVALID_ARGUMENT", `${source} is not a device`);
  return [{ ...device, source, access }];
}

/** Those of /dev that no container has a view of its own of; as Docker lists them for `--privileged`. */
const ownViews = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]);

export const hostDevices = (): Promise<SpecDevice[]> => nodesBelow("/dev", "/dev");

async function nodesBelow(directory: string, target: string): Promise<SpecDevice[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw fileError(error, directory);
  }
  const found = await Promise.all(
    entries.map(async (entry): Promise<SpecDevice[]> => {
      const source = join(directory, entry.name);
      const path = posix.join(target, entry.name);
      if (entry.isDirectory()) return ownViews.has(entry.name) ? [] : nodesBelow(source, path);
      if (!(entry.isCharacterDevice() || entry.isBlockDevice()) || ownViews.has(entry.name)) return [];
      const device = asDevice(await stat(source).catch(() => undefined), path);
      return device ? [{ ...device, source }] : [];
    }),
  );
  return found.flat();
}

function asDevice(node: Stats | undefined, path: string): Device | undefined {
  if (node === undefined || !(node.isCharacterDevice() || node.isBlockDevice())) return undefined;
  return {
    type: node.isBlockDevice() ? "b" : "c",
    path,
    ...deviceNumber(node.rdev),
    fileMode: node.mode & 0o7777,
    uid: node.uid,
    gid: node.gid,
  };
}

/** `c 1:3 rwm`, `a *:* rwm`. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) {
    throw new RamekinError("INVALID_ARGUMENT", `no device rule: ${text}`, { hint: "TYPE MAJOR:MINOR ACCESS, such as c 10:* rwm" });
  }
  const [, type, major, minor, access = "rwm"] = match;
  return {
    allow: true,
    ...(type !== "a" && { type: type as "c" | "b" }),
    ...(major !== "*" && { major: Number(major) }),
    ...(minor !== "*" && { minor: Number(minor) }),
    access,
  };
}
