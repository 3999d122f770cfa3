import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Mount, RamekinError } from "@ramekin/core";
import { giveTo, populate, removeTree, type View } from "@ramekin/native";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerConfig, ContainerMount, MountPoint, VolumeMount } from "./api.ts";
import { readOnly } from "./export.ts";
import { blobsOf, contentOf, type OpenedImage, openImage, topOf } from "./image.ts";
import type { MountPlan, Settled } from "./mount-plan.ts";
import { inheritedSpec, mountSpec } from "./mounts.ts";
import { defaultUser } from "./process.ts";
import { mustResolve, type ResolvedImage } from "./resolve.ts";
import { attempt, type Scope } from "./scope.ts";
import { entriesOf, isThere } from "./store/containers.ts";
import { readImages } from "./store/images.ts";
import { withLock } from "./store/lock.ts";
import { holdVolume, isEmptyDirectory, readVolume, volumePaths } from "./store/volumes.ts";
import { ensureVolume } from "./volume/create.ts";
import { mountVolume } from "./volume/mount.ts";
import { releaseVolume } from "./volume/remove.ts";

/**
 * Makes the volumes that are not there and holds all of them, before the configuration that names them is written: from here on
 * nobody removes them. The image's own VOLUMEs are anonymous ones, where nothing else is mounted.
 */
export async function settleMounts(scope: Scope, plan: MountPlan, id: string, image: OpenedImage): Promise<Settled> {
  const taken = new Set([...plan.mounts.map(({ target }) => target), ...plan.inherited.map(({ destination }) => destination)]);
  const declared = Object.keys(image.config.config?.Volumes ?? {}).map(cleaned);
  const own = [...new Set(declared)].filter((target) => !taken.has(target)).map((target): VolumeMount => ({ type: "volume", target }));
  const points: MountPoint[] = [];
  const specs: MountConfig[] = [];
  try {
    for (const point of plan.inherited) {
      if (point.type === "volume" && !holdVolume(scope.paths, point.name as string, id)) throw gone(point.name as string);
      points.push(point);
      specs.push(inheritedSpec(point));
    }
    for (const mount of [...plan.mounts, ...own]) {
      const point = await settle(scope, mount, id, points.length);
      points.push(point);
      specs.push(mountSpec(mount, point));
    }
    return { points, specs };
  } catch (error) {
    await releaseMounts(scope, id, points, { volumes: true });
    throw error;
  }
}

const gone = (name: string) => new RamekinError("ABORTED", `volume ${name} was removed meanwhile`, { hint: "try again" });
const cleaned = (path: string) =>
  `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;

async function settle(scope: Scope, mount: ContainerMount, id: string, number: number): Promise<MountPoint> {
  const base = { type: mount.type, destination: mount.target, writable: true, mode: "", propagation: "", source: "" };
  switch (mount.type) {
    case "bind": {
      const { source, readOnly = false, propagation = "rprivate", chown = false, overlay = false, idmap = false } = mount;
      const mode = [...(readOnly ? ["ro"] : []), ...(overlay ? ["O"] : []), ...(idmap ? ["idmap"] : [])].join(",");
      const where = join(scope.paths.container(id).directory, "overlays", String(number));
      if (overlay) for (const name of ["upper", "work"]) await mkdir(join(where, name), { recursive: true, mode: 0o755 });
      const more = { ...(chown && { chown }), ...(idmap && { idmap }), ...(overlay && { overlay: where }) };
      return { ...base, source, writable: !readOnly, mode, propagation, ...more };
    }
    case "volume":
      return settleVolume(scope, mount, id, base);
    case "image": {
      const known = mount.descriptor && { descriptor: mount.descriptor };
      const { descriptor, name }: ResolvedImage = known ?? mustResolve(await readImages(scope.paths), mount.source);
      const opened = await openImage(blobsOf(await contentOf(scope)), descriptor, scope.platform, mount.source, {});
      return {
        ...base,
        name: name ?? mount.source,
        source: `view of ${descriptor.digest}`,
        writable: mount.writable ?? false,
        mode: mount.writable ? "" : "ro",
        image: { descriptor, chainId: topOf(opened) ?? "", key: `view-${id}-${number}` },
        ...(mount.subpath !== undefined && { subpath: mount.subpath }),
      };
    }
    case "tmpfs":
      return {
        ...base,
        mode: (mount.options ?? []).join(","),
        writable: !mount.options?.includes("ro"),
        ...(mount.words !== undefined && { words: mount.words }),
      };
    case "devpts":
      return base;
  }
}

async function settleVolume(scope: Scope, mount: VolumeMount, id: string, base: Omit<MountPoint, "type">): Promise<MountPoint> {
  for (let tries = 0; tries < 20; tries++) {
    const volume = await ensureVolume(scope, mount.source, mount);
    if (!holdVolume(scope.paths, volume.name, id)) continue; // removed since
    const { readOnly = false, noCopy = false, chown = false, idmap = false, subpath } = mount;
    return {
      ...base,
      type: "volume",
      name: volume.name,
      source: volumePaths(scope.paths, volume.name).data,
      driver: volume.driver,
      writable: !readOnly,
      mode: [...(readOnly ? ["ro"] : []), ...(idmap ? ["idmap"] : [])].join(","),
      ...(mount.source === undefined && { anonymous: true }),
      ...(subpath !== undefined && { subpath }),
      ...((noCopy || subpath !== undefined) && { noCopy: true }),
      ...(chown && { chown }),
      ...(idmap && { idmap }),
    };
  }
  throw gone(mount.source ?? "");
}

/** What the image has where a volume is mounted goes into it while it is empty; what is to belong to the container's user does. */
export async function fillMounts(scope: Scope, config: ContainerConfig, root: readonly Mount[]): Promise<void> {
  // Without a claim on the container's own layer, which is not to be mounted twice when it is volatile.
  const view: View = { mounts: root.map(readOnly) };
  for (const point of config.mounts ?? []) {
    if (point.image) await viewImage(scope, config, point);
    if (point.type === "volume") await fillVolume(scope, point, view, idsOf(config, point));
    if (point.chown) {
      await giveTo(view, config.process.user ?? defaultUser, point.source, idsOf(config, point));
    }
  }
}

/** A new volume belongs to whom the container calls so; with mapped ids, that is how they are on the disk. */
const idsOf = ({ idMap }: ContainerConfig, { idmap }: MountPoint) => (idMap && !idmap ? { ids: idMap } : {});

async function viewImage(
  scope: Scope,
  { storage: { driver }, options }: ContainerConfig,
  { image, name = "", writable }: MountPoint,
): Promise<void> {
  if (!image) return;
  const storage = await scope.kernel.use("storage", driver);
  const opened = await openImage(blobsOf(await contentOf(scope)), image.descriptor, scope.platform, name, {});
  const { unpackImage } = await import("./unpack.ts");
  await unpackImage(scope, storage, opened, {});
  const how = { volatile: options.autoRemove ?? false };
  await (writable ? storage.prepare(image.key, topOf(opened), how) : storage.view(image.key, topOf(opened), how));
}

async function fillVolume(
  scope: Scope,
  { name = "", destination, noCopy = false }: MountPoint,
  view: View,
  ids: ReturnType<typeof idsOf>,
): Promise<void> {
  const volume = await readVolume(scope.paths, name);
  if (!volume) throw gone(name);
  await mountVolume(scope, volume);
  if (noCopy) return;
  const { data, lock, filling } = volumePaths(scope.paths, name);
  await withLock(lock, { exclusive: true }, async () => {
    // A copy that a crash has cut short is no content of anybody's.
    if (await isThere(filling)) await emptied(data);
    else if (!(await isEmptyDirectory(data))) return;
    await writeFile(filling, "");
    await populate(view, destination, data, ids);
    await rm(filling);
  });
}

async function emptied(directory: string): Promise<void> {
  for (const entry of await entriesOf(directory)) await removeTree(directory, entry);
}

/** `volumes`: anonymous ones go, unless another container has them too. */
export async function releaseMounts(
  scope: Scope,
  id: string,
  points: readonly MountPoint[],
  { volumes, storage }: { readonly volumes: boolean; readonly storage?: string },
): Promise<void> {
  for (const { type, name, anonymous, image } of points) {
    if (type === "volume" && name !== undefined)
      await attempt(scope, `releasing volume ${name}`, () => releaseVolume(scope, name, id, volumes && anonymous === true));
    if (image && storage !== undefined)
      await attempt(scope, `removing snapshot ${image.key}`, async () => (await scope.kernel.use("storage", storage)).remove(image.key));
  }
}
