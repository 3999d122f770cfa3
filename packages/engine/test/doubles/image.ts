import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ByteStream, Descriptor, Digest, LayerApplier, RegistryClient } from "@ramekin/core";
import { RamekinError } from "@ramekin/core";
import { type ImageRunConfig, mediaTypes } from "@ramekin/oci";

export interface ImageRecipe {
  readonly config?: ImageRunConfig;
  /** One layer each; the bytes are no tar, the applier of the tests does not look. */
  readonly layers?: readonly string[];
  readonly architecture?: string;
}

export interface MadeImage {
  readonly root: Descriptor;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export function makeImage({ config = {}, layers = ["layer"], architecture = "amd64" }: ImageRecipe = {}): MadeImage {
  const blobs = new Map<Digest, Uint8Array>();
  const add = (content: string | object, mediaType: string): Descriptor => {
    const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const descriptors = layers.map((layer) => add(layer, mediaTypes.layer));
  const document = {
    created: "2026-01-01T00:00:00Z",
    os: "linux",
    architecture,
    config,
    rootfs: { type: "layers", diff_ids: descriptors.map(({ digest }) => digest) },
  };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: add(document, mediaTypes.config), layers: descriptors };
  return { root: add(manifest, mediaTypes.manifest), blobs };
}

/** Several platforms under one index. */
export function makeIndex(images: Readonly<Record<string, MadeImage>>): MadeImage {
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]));
  const manifests = Object.entries(images).map(([architecture, { root }]) => ({ ...root, platform: { os: "linux", architecture } }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  const root = { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length };
  return { root, blobs: blobs.set(root.digest, bytes) };
}

/** As an OCI layout in a directory. */
export async function writeLayout(directory: string, images: Readonly<Record<string, MadeImage>>): Promise<string> {
  await mkdir(join(directory, "blobs", "sha256"), { recursive: true });
  for (const { blobs } of Object.values(images)) {
    for (const [digest, bytes] of blobs) await writeFile(join(directory, "blobs", ...digest.split(":")), bytes);
  }
  const manifests = Object.entries(images).map(([name, { root }]) => ({
    ...root,
    annotations: { "org.opencontainers.image.ref.name": name },
  }));
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return directory;
}

export interface FakeRegistry extends RegistryClient {
  /** Blobs that were asked for, in order, with the offset. */
  readonly fetched: (readonly [Digest, number])[];
  /** Cut connections: so many fetches of a blob end after half of what is left. */
  cuts: number;
}

/** By `registry/repository:tag`. */
export function fakeRegistry(images: Readonly<Record<string, MadeImage>>): FakeRegistry {
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]));
  const registry: FakeRegistry = {
    fetched: [],
    cuts: 0,
    async resolve({ registry: host, repository, tag, digest }) {
      const name = `${host}/${repository}`;
      const found = digest ? Object.values(images).find(({ root }) => root.digest === digest) : images[`${name}:${tag}`];
      if (!found) throw new RamekinError("NOT_FOUND", `${name}: not found`);
      return found.root;
    },
    fetch: async function* (_reference, { digest }, { offset = 0 } = {}): ByteStream {
      registry.fetched.push([digest, offset]);
      const bytes = blobs.get(digest);
      if (!bytes) throw new RamekinError("NOT_FOUND", `blob ${digest}: not found`);
      const rest = bytes.subarray(offset);
      if (registry.cuts > 0 && rest.length > 1) {
        registry.cuts--;
        yield rest.subarray(0, rest.length >> 1);
        throw new RamekinError("UNAVAILABLE", "the connection was cut");
      }
      yield rest;
    },
    exists: async (_reference, { digest }) => blobs.has(digest),
    push: () => Promise.reject(new RamekinError("UNSUPPORTED", "read-only")),
    tag: () => Promise.reject(new RamekinError("UNSUPPORTED", "read-only")),
  };
  return registry;
}

/** Hashes and writes nothing. */
export const hashingApplier: LayerApplier = {
  async apply(_mounts, source) {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { diffID: `sha256:${hash.digest("hex")}` as never, size };
  },
};
