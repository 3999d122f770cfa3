import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, type Manifest, type Mount, type Platform, RamekinError, type StorageDriver } from "@ramekin/core";
import { type ContainerImageConfig, mediaTypes } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import type { ContainerOptions } from "./container-options.ts";
import { contentOf, type OpenedImage, openedImage } from "./image.ts";
import { storeDocument } from "./import.ts";
import type { ResolvedImage } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { takeLease } from "./store/leases.ts";
import type { Paths } from "./store/paths.ts";

type Rooted = Pick<ContainerConfig, "id" | "name" | "options" | "storage">;

/** What a container's root file system is made of: its snapshot, or a directory of the host. */
export async function rootMounts(paths: Paths, storage: StorageDriver, config: Rooted): Promise<readonly Mount[]> {
  const { rootDirectory } = config.options;
  if (!rootDirectory) return storage.mounts(config.storage.key);
  const { path, overlay = false } = rootDirectory;
  checkRootDirectory(path);
  if (!overlay) return [{ type: "bind", source: path, options: ["rbind"] }];
  const { upper, work } = overlayOf(paths, config);
  const layers = [`lowerdir=${path.replace(/[\\:,]/g, "\\$&")}`, `upperdir=${upper}`, `workdir=${work}`];
  return [{ type: "overlay", source: "overlay", options: process.geteuid?.() === 0 ? layers : [...layers, "userxattr"] }];
}

/** At create and again at `reset`: an overlay of its own, empty. */
export async function makeOverlay(paths: Paths, config: Rooted): Promise<void> {
  if (!config.options.rootDirectory?.overlay) return;
  const { directory, upper, work } = overlayOf(paths, config);
  await rm(directory, { recursive: true, force: true });
  for (const path of [upper, work]) await mkdir(path, { recursive: true, mode: 0o755 });
}

function overlayOf(paths: Paths, { id }: Rooted) {
  const directory = join(paths.container(id).directory, "overlays", "root");
  return { directory, upper: join(directory, "upper"), work: join(directory, "work") };
}

/** NOT_FOUND, INVALID_ARGUMENT. */
export function checkRootDirectory(path: string): void {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new RamekinError("PERMISSION_DENIED", `cannot look at the root directory ${path}: ${(cause as Error).message}`, { cause });
  }
  if (!found)
    throw new RamekinError("NOT_FOUND", `no such root directory: ${path}`, {
      hint: "--rootfs takes a directory with the container's files",
    });
  if (!found.isDirectory()) throw new RamekinError("INVALID_ARGUMENT", `${path} is no directory`);
}

/** Who has its files from elsewhere has none of a store's that another could have from it. */
export function refuseRootDirectory({ name, options }: Rooted, what: string): void {
  if (options.rootDirectory === undefined) return;
  throw new RamekinError("UNSUPPORTED", `container ${name} cannot be ${what}: its files are the directory ${options.rootDirectory.path}`, {
    hint: "`ramekin commit` makes an image of it",
  });
}

/** Before anything is made. */
export function checkRootOptions({ rootDirectory, userns }: ContainerOptions): void {
  if (!rootDirectory) return;
  checkRootDirectory(rootDirectory.path);
  const asksForIds = userns !== undefined && userns !== "host";
  if (asksForIds && !rootDirectory.idmap) {
    throw new RamekinError("UNSUPPORTED", `the files of ${rootDirectory.path} belong to ids that the user namespace does not have`, {
      hint: `--rootfs ${rootDirectory.path}:idmap shows them as the container's own`,
    });
  }
}

/** What stands for the image of a container that has none: nothing, for this platform. `keep` puts it into the store, for who looks it up. */
export async function noImage(
  scope: Scope,
  { keep, platform = scope.platform }: { readonly keep: boolean; readonly platform?: Platform | undefined },
): Promise<{ readonly resolved: ResolvedImage; readonly image: OpenedImage }> {
  const config: ContainerImageConfig = { ...platform, config: {}, rootfs: { type: "layers", diff_ids: [] } };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: described(config, mediaTypes.config),
    layers: [],
  };
  const descriptor = described(manifest, mediaTypes.manifest);
  if (keep) {
    const content = await contentOf(scope);
    await using lease = await takeLease(scope.paths);
    await storeDocument(content, lease, config, mediaTypes.config);
    await storeDocument(content, lease, manifest, mediaTypes.manifest);
  }
  return { resolved: { descriptor }, image: await openedImage(descriptor, manifest, config) };
}

function described(document: object, mediaType: string): Descriptor {
  const bytes = Buffer.from(JSON.stringify(document));
  return { mediaType, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.byteLength };
}
