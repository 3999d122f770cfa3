import { createHash } from "node:crypto";
import { chmod, chown, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ByteStream, type Cancellable, type Descriptor, RamekinError } from "@ramekin/core";
import { packTree, unpackInto } from "@ramekin/native";
import { layerCompression } from "@ramekin/oci";
import { storeLayer } from "../../import.ts";
import { mountFolder } from "../../store/build-cache.ts";
import { isGone } from "../../store/files.ts";
import { lockFile } from "../../store/lock.ts";
import type { Session } from "../session.ts";
import { annotation } from "./format.ts";

/** The first folder of an id: the one that everybody shares, or that who locks it has. */
const folderOf = ({ scope }: Session, id: string): string => join(mountFolder(scope.paths, id), "0");

/** The contents of cache mounts as layers, each with its id. */
export async function packMounts(session: Session, ids: ReadonlySet<string>, options: Cancellable): Promise<readonly Descriptor[]> {
  const layers: Descriptor[] = [];
  for (const id of ids) {
    const folder = folderOf(session, id);
    const there = await stat(folder).catch(ifGone);
    if (!there) continue;
    await using _ = await lockFile(`${folder}.lock`, { ...options, exclusive: true });
    const bytes = packTree({ directory: folder }, "/", options);
    const { layer, diffID } = await storeLayer(session.scope, session.content, session.lease, { format: undefined, bytes }, options);
    const owner = `${(there.mode & 0o7777).toString(8)}:${there.uid}:${there.gid}`;
    layers.push({ ...layer, annotations: { [annotation.diffID]: diffID, [annotation.mount]: id, [annotation.mountOwner]: owner } });
  }
  return layers;
}

/** What is here already is newer, and stays. */
export async function unpackMount(session: Session, layer: Descriptor, bytes: ByteStream, options: Cancellable): Promise<void> {
  const id = layer.annotations?.[annotation.mount] ?? "";
  const folder = folderOf(session, id);
  if (await stat(folder).catch(ifGone)) return;
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await using _ = await lockFile(`${folder}.lock`, { ...options, exclusive: true });
  const making = `${folder}.new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making);
  const format = layerCompression(layer.mediaType);
  const verified = checked(layer, bytes);
  const tar = format === undefined ? verified : (await session.scope.kernel.use("codec", { for: format })).decode(verified, options);
  await unpackInto({ directory: making }, "/", tar, options);
  const [mode = "755", uid = "0", gid = "0"] = (layer.annotations?.[annotation.mountOwner] ?? "").split(":");
  await chown(making, Number(uid) || 0, Number(gid) || 0);
  await chmod(making, Number.parseInt(mode, 8) || 0o755);
  await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" && error.code !== "ENOTEMPTY") throw error; // somebody has begun one meanwhile
  });
  await rm(making, { recursive: true, force: true });
}

async function* checked({ digest }: Descriptor, bytes: ByteStream): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) throw new RamekinError("DATA_LOSS", `the contents of a cache mount are not ${digest}`);
}

function ifGone(error: unknown): undefined {
  if (isGone(error)) return undefined;
  throw error;
}
