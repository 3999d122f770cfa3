import { createHash } from "node:crypto";
import type { Cancellable } from "@ramekin/core";
import type { TreeEntry } from "./tree-entry.ts";

/** What a copy of these depends on: names, kinds, modes and contents; not times (BuildKit's rule). */
export async function contentDigest(entries: AsyncIterable<TreeEntry>, options: Cancellable): Promise<string> {
  const hash = createHash("sha256");
  for await (const entry of entries) {
    const { name, kind, mode } = entry;
    hash.update(
      `${JSON.stringify([name, kind, mode, entry.kind === "file" ? entry.size : 0, entry.kind === "link" ? entry.target : ""])}\n`,
    );
    if (entry.kind === "file") for await (const chunk of entry.content(options)) hash.update(chunk);
  }
  return hash.digest("hex");
}
