import { createHash } from "node:crypto";
import type { Cancellable } from "@ramekin/core";
import type { FileContent, TreeEntry } from "./tree-entry.ts";

/** What a copy of these depends on: names, kinds, modes, owners and contents; not times (BuildKit's rule). */
export async function contentDigest(entries: AsyncIterable<TreeEntry>, options: Cancellable): Promise<string> {
  const hash = createHash("sha256");
  for await (const entry of entries) {
    // Nothing is waited for where the digest is known: 50,000 times.
    const digest = entry.kind === "file" ? fileDigest(entry, options) : "";
    hash.update(`${JSON.stringify(inputsOf(entry, typeof digest === "string" ? digest : await digest))}\n`);
  }
  return hash.digest("hex");
}

function inputsOf(entry: TreeEntry, digest: string): readonly unknown[] {
  const { name, kind, mode, uid = 0, gid = 0, pax } = entry;
  const common = [name, kind, mode, uid, gid, pax ? attributesOf(pax) : []];
  if (kind === "file") return [...common, entry.size, digest];
  if (kind === "link" || kind === "hardlink") return [...common, entry.target];
  return kind === "device" ? [...common, entry.type, entry.major, entry.minor] : common;
}

function attributesOf(pax: Readonly<Record<string, string | Uint8Array>>): readonly (readonly [string, string])[] {
  const attributes = Object.entries(pax).filter(([key]) => key.startsWith("SCHILY.xattr."));
  return attributes.map(([key, value]) => [key, Buffer.from(value as string).toString("hex")]);
}

/** SHA-256, as its maker knows it or as it comes by. */
export function fileDigest(file: FileContent, options: Cancellable): string | Promise<string> {
  return file.digest?.(options) ?? readDigest(file, options);
}

async function readDigest(file: FileContent, options: Cancellable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of file.content(options)) hash.update(chunk);
  return hash.digest("hex");
}
