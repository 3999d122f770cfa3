import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cancellable, type Descriptor, type Digest, type Platform, RamekinError } from "@ramekin/core";
import { mount, unmount } from "@ramekin/native";
import type { ImageMount } from "./api.ts";
import { topOf } from "./image.ts";
import { mustResolve } from "./resolve.ts";
import { attempt, type Scope } from "./scope.ts";
import { entriesOf } from "./store/containers.ts";
import { readJsonIfThere, replaceFile } from "./store/files.ts";
import { readImages } from "./store/images.ts";
import { withLock } from "./store/lock.ts";
import { openViews } from "./view.ts";

/** `<runRoot>/mounts/<key>/mount.json`, beside the mount point `fs`. The key is also that of the view in the storage. */
interface Record extends ImageMount {
  readonly key: string;
  readonly image: Descriptor;
  readonly manifest: Digest;
  readonly storage: string;
}

/** What a storage key of ours looks like. */
export const mountKey: RegExp = /^mount-[0-9a-f]{16}$/;

/** See `Engine.mountImage`. The record is written before the view is made: a collection keeps what is recorded. */
export async function mountImage(
  scope: Scope,
  text: string,
  options: Cancellable & { readonly platform?: Platform } = {},
): Promise<ImageMount> {
  if (process.geteuid?.() !== 0) {
    throw new RamekinError("PERMISSION_DENIED", "mounting an image needs root: a mount is seen only where it was made", {
      hint: "`ramekin export-image` gives its files as a tar",
    });
  }
  await using views = await openViews(scope, options);
  const image = await views.open(text, options.platform);
  const { descriptor, name } = mustResolve(await readImages(scope.paths), text);
  const { name: storage } = await scope.kernel.choose("storage");
  const manifest = image.manifestDescriptor.digest;
  for (const record of await records(scope)) {
    if (record.manifest === manifest && (await isMounted(record.path))) return shown(record);
  }
  const key = `mount-${randomBytes(8).toString("hex")}`;
  const directory = join(directoryOf(scope), key);
  const path = join(directory, "fs");
  const record: Record = { key, id: descriptor.digest, ...(name !== undefined && { name }), path, image: descriptor, manifest, storage };
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    await withLock(scope.paths.lock, { exclusive: false }, async () => {
      await replaceFile(join(directory, "mount.json"), `${JSON.stringify(record)}\n`);
    });
    const mounts = await views.storage.view(key, topOf(image), { signal: options.signal });
    await mount(mounts, path, options);
  } catch (error) {
    await undo(scope, record);
    throw error;
  }
  scope.emit("image", "mount", descriptor.digest, { path });
  return shown(record);
}

/** See `Engine.mountedImages`. Those that this mount namespace sees. */
export async function mountedImages(scope: Scope): Promise<readonly ImageMount[]> {
  const found: ImageMount[] = [];
  for (const record of await records(scope)) if (await isMounted(record.path)) found.push(shown(record));
  return found;
}

/** See `Engine.unmountImage`. */
export async function unmountImage(scope: Scope, text: string): Promise<ImageMount> {
  await scope.opened();
  const all = await records(scope);
  const wanted = text.startsWith("/") ? undefined : mustResolve(await readImages(scope.paths), text).descriptor.digest;
  const [record, ...more] = all.filter(({ id, path }) => id === wanted || path === text);
  if (!record) throw new RamekinError("NOT_FOUND", `image ${text} is not mounted`, { hint: "`ramekin image mount` lists those that are" });
  for (const each of [record, ...more]) await undo(scope, each);
  scope.emit("image", "unmount", record.id, { path: record.path });
  return shown(record);
}

/** Images that are mounted, for a collection and for whoever would remove one. */
export async function records(scope: Scope): Promise<readonly Record[]> {
  const found = await Promise.all(
    (await entriesOf(directoryOf(scope))).map((entry) => readJsonIfThere<Record>(join(directoryOf(scope), entry, "mount.json"))),
  );
  return found.filter((record) => record !== undefined);
}

async function undo(scope: Scope, { key, path, storage }: Record): Promise<void> {
  if (await isMounted(path)) await unmount(path);
  const driver = await scope.kernel.use("storage", storage);
  await attempt(scope, `removing snapshot ${key}`, () => driver.remove(key));
  await rm(join(directoryOf(scope), key), { recursive: true, force: true });
}

/** In this mount namespace. */
async function isMounted(path: string): Promise<boolean> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table
    .split("\n")
    .some((line) => line.split(" ")[4]?.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))) === path);
}

const directoryOf = (scope: Scope) => join(scope.paths.runRoot, "mounts");
const shown = ({ id, name, path }: Record): ImageMount => ({ id, ...(name !== undefined && { name }), path });
