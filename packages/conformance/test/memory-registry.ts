import { createHash } from "node:crypto";
import { type ByteSource, type Descriptor, RamekinError, type Reference, type RegistryClient } from "@ramekin/core";
import { isIndexType, isManifestType } from "@ramekin/oci";

/** The trivial registry: proves the contract small, and gives the mutants something right to spoil. */
export function memoryRegistry(): RegistryClient {
  const blobs = new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>();
  const names = new Map<string, Descriptor>();
  const isManifest = (mediaType: string) => isManifestType(mediaType) || isIndexType(mediaType);
  const place = ({ registry, repository }: Reference) => `${registry}/${repository}`;
  const keyOf = (reference: Reference, { digest, mediaType }: Descriptor) => `${place(reference)} ${isManifest(mediaType)} ${digest}`;
  const notFound = (what: string) => new RamekinError("NOT_FOUND", `no ${what}`);
  const live = (signal: AbortSignal | undefined) => {
    if (signal?.aborted) throw new RamekinError("CANCELLED", "cancelled");
  };
  const keep = (reference: Reference, descriptor: Descriptor, bytes: Uint8Array) => {
    blobs.set(keyOf(reference, descriptor), { bytes, mediaType: descriptor.mediaType });
    if (isManifest(descriptor.mediaType)) names.set(`${place(reference)}@${descriptor.digest}`, descriptor);
  };
  const receive = async (descriptor: Descriptor, source: ByteSource) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source(0)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (`sha256:${createHash("sha256").update(bytes).digest("hex")}` !== descriptor.digest)
      throw new RamekinError("DATA_LOSS", "wrong digest");
    return bytes;
  };

  return {
    async resolve(reference, { signal } = {}) {
      live(signal);
      const name = reference.digest ? `@${reference.digest}` : `:${reference.tag}`;
      const { mediaType, digest, size } = names.get(place(reference) + name) ?? {};
      if (mediaType === undefined || digest === undefined || size === undefined) throw notFound(place(reference) + name);
      return { mediaType, digest, size };
    },
    async *fetch(reference, descriptor, { offset = 0, signal } = {}) {
      live(signal);
      if (offset > descriptor.size) throw new RamekinError("INVALID_ARGUMENT", `offset ${offset}`);
      const { bytes } = blobs.get(keyOf(reference, descriptor)) ?? {};
      if (!bytes) throw notFound(descriptor.digest);
      for (let at = offset; at < bytes.byteLength; at += 64 << 10) {
        live(signal);
        yield bytes.subarray(at, at + (64 << 10));
      }
    },
    exists: async (reference, descriptor) => blobs.has(keyOf(reference, descriptor)),
    async push(reference, descriptor, source, { mountFrom, signal } = {}) {
      live(signal);
      if (blobs.has(keyOf(reference, descriptor))) return;
      const mounted = mountFrom !== undefined && blobs.get(keyOf({ ...reference, repository: mountFrom }, descriptor));
      keep(reference, descriptor, mounted ? mounted.bytes : await receive(descriptor, source));
    },
    async tag(reference, descriptor) {
      if (reference.tag === undefined) throw new RamekinError("INVALID_ARGUMENT", "no tag");
      if (!blobs.has(keyOf(reference, descriptor))) throw notFound(descriptor.digest);
      names.set(`${place(reference)}:${reference.tag}`, descriptor);
    },
    async *tags(reference) {
      if (![...blobs.keys()].some((key) => key.startsWith(`${place(reference)} `))) throw notFound(place(reference));
      const prefix = `${place(reference)}:`;
      for (const name of names.keys()) if (name.startsWith(prefix)) yield name.slice(prefix.length);
    },
    async *referrers(reference, { digest }, { artifactType } = {}) {
      for (const [key, { bytes, mediaType }] of blobs) {
        if (!key.startsWith(`${place(reference)} true `)) continue;
        const manifest = JSON.parse(new TextDecoder().decode(bytes)) as { subject?: Descriptor; artifactType?: string };
        if (manifest.subject?.digest !== digest || (artifactType !== undefined && manifest.artifactType !== artifactType)) continue;
        const found = names.get(`${place(reference)}@${key.split(" ")[2]}`);
        if (found) yield { ...found, mediaType, ...(manifest.artifactType !== undefined && { artifactType: manifest.artifactType }) };
      }
    },
    async delete(reference, descriptor) {
      blobs.delete(keyOf(reference, descriptor));
      for (const [name, { digest }] of names) if (digest === descriptor.digest) names.delete(name);
    },
  };
}
