import { mkdir, stat } from "node:fs/promises";
import { release } from "node:os";
import { posix } from "node:path";
import { Objections, RamekinError } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import type { BindMount, ContainerMount, DevptsMount, MountOptions, MountPoint, TmpfsMount } from "./api.ts";
import type { MountPlan } from "./mount-plan.ts";
import type { Scope } from "./scope.ts";
import { findContainer } from "./store/containers.ts";
import { fileError, isGone } from "./store/files.ts";
import { checkDraft } from "./volume/create.ts";

/** What the user mounts; sources are looked at, targets are the supervisor's. All that is wrong is told at once. */
export async function planMounts(scope: Scope, options: MountOptions & { readonly readOnly?: boolean }): Promise<MountPlan> {
  const { volumesFrom = [], readOnly = false, readOnlyTmpfs = false } = options;
  const given = (options.mounts ?? []).map((mount) => ({
    ...mount,
    target: mount.target.startsWith("/") ? posix.resolve(mount.target) : mount.target,
  }));
  const objections = new Objections();
  const seen = new Set<string>();
  for (const mount of given) {
    objections.hear(() => checkTarget(mount.target, seen));
    if (mount.type === "volume") objections.hear(() => checkDraft(mount.source, mount));
  }
  const memory = readOnly && readOnlyTmpfs ? ["/run", "/tmp", "/var/tmp"].filter((target) => !seen.has(target)) : [];
  const mounts = [
    ...given,
    ...memory.map((target): TmpfsMount => ({ type: "tmpfs", target, mode: target === "/run" ? 0o755 : 0o1777, options: ["exec", "dev"] })),
  ];
  const [inherited] = await objections.all(
    Promise.all(volumesFrom.map((from) => mountsOf(scope, from))),
    Promise.all(mounts.filter((mount) => mount.type === "bind").map((mount) => objections.await(checkSource(mount)))),
  );
  return { mounts, inherited: inherited.flat().filter(({ destination }) => !seen.has(destination)) };
}

function checkTarget(target: string, seen: Set<string>): void {
  if (!target.startsWith("/")) throw new RamekinError("INVALID_ARGUMENT", `mount target ${JSON.stringify(target)} is not an absolute path`);
  if (target === "/") throw new RamekinError("INVALID_ARGUMENT", "a mount cannot have / as its target");
  if (seen.has(target)) throw new RamekinError("INVALID_ARGUMENT", `duplicate mount target ${target}`);
  seen.add(target);
}

/** What others have that is not only theirs: volumes and directories of the host. */
async function mountsOf(
  scope: Scope,
  { container, readOnly }: NonNullable<MountOptions["volumesFrom"]>[number],
): Promise<readonly MountPoint[]> {
  await scope.opened();
  const { mounts = [] } = await findContainer(scope.paths, container);
  const shared = mounts.filter(({ type }) => type === "volume" || type === "bind");
  return shared.map(({ chown: _, ...point }) => ({
    ...point,
    noCopy: true,
    ...(readOnly !== undefined && { writable: !readOnly && point.writable, mode: readOnly ? "ro" : point.mode }),
  }));
}

async function checkSource({ source, createSource }: BindMount): Promise<void> {
  if (!source.startsWith("/")) {
    throw new RamekinError("INVALID_ARGUMENT", `bind source ${JSON.stringify(source)} is not an absolute path`, {
      hint: "give the full path of a directory or file",
    });
  }
  try {
    await stat(source);
  } catch (error) {
    if (!isGone(error)) throw fileError(error, source);
    if (!createSource) throw new RamekinError("NOT_FOUND", `bind source path does not exist: ${source}`, { cause: error });
    await mkdir(source, { recursive: true }).catch((cause: unknown) => {
      throw fileError(cause, source);
    });
  }
}

/** A mount in the runtime's words. Where its source is no path of the host, the supervisor puts in its place what `mountSources` says. */
export function mountSpec(mount: ContainerMount, point: MountPoint): MountConfig {
  switch (mount.type) {
    case "bind":
      return bind(mount, point);
    case "volume":
      return bindSpec(point, ["rbind", point.writable ? "rw" : "ro", "rprivate", ...(mount.options ?? [])]);
    case "image":
      return bindSpec(point, ["rbind", point.writable ? "rw" : "ro", "rprivate", "nodev"]);
    case "tmpfs":
      return tmpfs(mount);
    case "devpts":
      return devpts(mount);
  }
}

/** The same of a mount that another container has. */
export function inheritedSpec(point: MountPoint): MountConfig {
  const { type, writable, propagation } = point;
  if (type !== "bind") return bindSpec(point, ["rbind", writable ? "rw" : "ro", "rprivate"]);
  return bindSpec(point, [...bindOptions(!writable, "enabled"), propagation || "rprivate"]);
}

const bindSpec = ({ source, destination }: MountPoint, options: readonly string[]): MountConfig => ({
  destination,
  type: "bind",
  source,
  options,
});

function bind({ readOnly, propagation = "rprivate", recursive = "enabled", options = [] }: BindMount, point: MountPoint): MountConfig {
  return bindSpec(point, [...bindOptions(readOnly ?? false, recursive), propagation, ...options]);
}

/** `rro` makes the mounts below read-only as well; the kernel can since 5.12, and who insists gets its error before that. */
function bindOptions(readOnly: boolean, recursive: NonNullable<BindMount["recursive"]>): string[] {
  if (recursive === "disabled") return ["bind", readOnly ? "ro" : "rw"];
  if (recursive === "readonly" || (recursive === "enabled" && readOnly && kernelSupportsRecursion())) return ["rbind", "rro"];
  return ["rbind", readOnly ? "ro" : "rw"];
}

function kernelSupportsRecursion(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 12);
}

function tmpfs({ target, size, mode, options = [], ramfs = false }: TmpfsMount): MountConfig {
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw new RamekinError("INVALID_ARGUMENT", `tmpfs ${target}: ${size} is not a size in bytes`);
  const limits = [...(size === undefined ? [] : [`size=${size}`]), ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`])];
  const type = ramfs ? "ramfs" : "tmpfs";
  return { destination: target, type, source: type, options: ["nosuid", "nodev", "noexec", ...limits, ...options] };
}

function devpts({ target, uid, gid, mode, max }: DevptsMount): MountConfig {
  const given = { uid, gid, mode: mode?.toString(8), max };
  const options = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return {
    destination: target,
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", ...(mode === undefined ? ["mode=0620"] : []), ...options],
  };
}
