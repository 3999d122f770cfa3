import { createHash } from "node:crypto";
import type { Cancellable } from "@ramekin/core";
import type { FileContent, TreeEntry } from "./tree-entry.ts";

/** What a copy of these depends on: names, kinds, modes, owners and contents; not times (BuildKit's rule). */
export async function contentDigest(entries: AsyncIterable<TreeEntry>, options: Cancellable): Promise<string> {
  const hash = createHash("sha256");
  for await (const entry of entries) hash.update(`${JSON.stringify(await inputsOf(entry, options))}\n`);
  return hash.digest("hex");
}

async function inputsOf(entry: TreeEntry, options: Cancellable): Promise<readonly unknown[]> {
  const { name, kind, mode, uid = 0, gid = 0, pax } = entry;
  const attributes = Object.entries(pax ?? {}).filter(([key]) => key.startsWith("SCHILY.xattr."));
  const more = attributes.map(([key, value]) => [key, Buffer.from(value as string).toString("hex")]);
  const common = [name, kind, mode, uid, gid, more];
  if (kind === "file") return [...common, entry.size, await fileDigest(entry, options)];
  if (kind === "link" || kind === "hardlink") return [...common, entry.target];
  return kind === "device" ? [...common, entry.type, entry.major, entry.minor] : common;
}

/** SHA-256, as its maker knows it or as it comes by. */
export async function fileDigest(file: FileContent, options: Cancellable): Promise<string> {
  if (file.digest) return file.digest(options);
  const hash = createHash("sha256");
  for await (const chunk of file.content(options)) hash.update(chunk);
  return hash.digest("hex");
}
