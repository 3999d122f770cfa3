import { mkdir, stat } from "node:fs/promises";
import { release } from "node:os";
import { posix } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import type { BindMount, ContainerOptions, TmpfsMount } from "./api.ts";
import { fileError, isGone } from "./store/files.ts";

/** What the user mounts, as the runtime spec says it; sources are looked at, targets are the supervisor's. */
export async function userMounts(mounts: ContainerOptions["mounts"] = []): Promise<MountConfig[]> {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (!target.startsWith("/"))
      throw new RamekinError("INVALID_ARGUMENT", `mount target ${JSON.stringify(target)} is not an absolute path`);
    const path = posix.resolve(target);
    if (path === "/") throw new RamekinError("INVALID_ARGUMENT", "a mount cannot have / as its target");
    if (seen.has(path)) throw new RamekinError("INVALID_ARGUMENT", `duplicate mount target ${path}`);
    seen.add(path);
  }
  return Promise.all(mounts.map((mount) => (mount.type === "bind" ? bind(mount) : tmpfs(mount))));
}

async function bind({
  source,
  target,
  readOnly,
  createSource,
  propagation = "rprivate",
  recursive = "enabled",
}: BindMount): Promise<MountConfig> {
  if (!source.startsWith("/")) {
    throw new RamekinError("INVALID_ARGUMENT", `bind source ${JSON.stringify(source)} is not an absolute path`, {
      hint: "named volumes are not supported yet; write the whole path of a directory or file",
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
  return { destination: posix.resolve(target), type: "bind", source, options: [...bindOptions(readOnly ?? false, recursive), propagation] };
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

function tmpfs({ target, size, mode, options = [] }: TmpfsMount): MountConfig {
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw new RamekinError("INVALID_ARGUMENT", `tmpfs ${target}: ${size} is not a size in bytes`);
  const limits = [...(size === undefined ? [] : [`size=${size}`]), ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`])];
  return {
    destination: posix.resolve(target),
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", "noexec", ...limits, ...options],
  };
}
