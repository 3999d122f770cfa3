import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, type Digest, type ImageTarget, RamekinError } from "@ramekin/core";
import { isIndexType, isManifestType, maxManifestSize, readBlob } from "@ramekin/oci";
import { fileOf } from "./dir-source.ts";
import { cancellable } from "./framing/reader.ts";
import { type TargetOptions, writeVerified } from "./layout-target.ts";

/**
 * Writes a `dir:` of containers-transports(5). It holds one image; the folder must be empty, or not there. Which manifest is the
 * root shows at the end, so manifests wait in memory; without a commit, nothing stays.
 */
export async function dirTarget(directory: string, { digester }: TargetOptions): Promise<ImageTarget> {
  const made = await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) {
    throw new RamekinError("ALREADY_EXISTS", `${directory} is not empty`, { hint: "a directory holds one image: choose a new one" });
  }
  const documents = new Map<Digest, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>();
  const written = new Set<string>();
  const roots: Descriptor[] = [];
  let committed = false;

  async function commit(): Promise<void> {
    const [root, ...more] = roots;
    if (!root || more.some(({ digest }) => digest !== root.digest))
      throw new RamekinError("UNSUPPORTED", `a directory holds one image, not ${roots.length}`, { hint: "save as oci-dir, or one by one" });
    for (const { descriptor, bytes } of documents.values()) {
      const name = fileOf(descriptor, root);
      await writeFile(join(directory, name), bytes, { flush: true });
      written.add(name);
    }
    await writeFile(join(directory, "version"), "Directory Transport Version: 1.1\n");
    committed = true;
  }

  return {
    blob: async (descriptor, source, { signal } = {}) => {
      const { digest, mediaType } = descriptor;
      const watched = cancellable(source, signal);
      if (isManifestType(mediaType) || isIndexType(mediaType)) {
        const bytes = await readBlob({ blob: () => watched }, descriptor, { digester, maxSize: maxManifestSize });
        documents.set(digest, { descriptor, bytes });
        return;
      }
      const name = fileOf(descriptor, undefined);
      if (written.has(name)) return;
      const temporary = join(directory, `.new-${randomUUID()}`);
      try {
        await writeVerified(temporary, watched, descriptor, digester);
        await rename(temporary, join(directory, name));
        written.add(name);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    root: async (descriptor) => {
      if (!documents.has(descriptor.digest))
        throw new RamekinError("FAILED_PRECONDITION", `root ${descriptor.digest} was not written to ${directory}`);
      roots.push(descriptor);
    },
    commit,
    [Symbol.asyncDispose]: async () => {
      if (committed) return;
      for (const name of [...written, "version"]) await rm(join(directory, name), { force: true });
      if (made !== undefined) await rm(made, { recursive: true, force: true });
    },
  };
}
