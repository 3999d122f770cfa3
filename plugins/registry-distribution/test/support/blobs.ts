import { createHash } from "node:crypto";
import type { ByteStream, Descriptor, Digest, Reference, RegistryClient } from "@ramekin/core";
import { mediaTypes } from "@ramekin/oci";

export interface Blob {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
}

export function blob(content: string | Buffer, mediaType: string = mediaTypes.layer): Blob {
  const bytes = Buffer.from(content);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
}

export const json = (value: unknown, mediaType: string): Blob => blob(JSON.stringify(value), mediaType);

export async function collect(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function list<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const push = (registry: RegistryClient, at: Reference, { bytes, descriptor }: Blob, mountFrom?: string): Promise<void> =>
  registry.push(
    at,
    descriptor,
    async function* (offset) {
      yield bytes.subarray(offset);
    },
    mountFrom === undefined ? {} : { mountFrom },
  );

/** A manifest of one layer, pushed with what it names and tagged when the reference has a tag. */
export async function pushImage(registry: RegistryClient, at: Reference, content: string): Promise<Blob> {
  const config = json({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, content }, mediaTypes.config);
  const layer = blob(`layer of ${content}`);
  const document = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: config.descriptor, layers: [layer.descriptor] };
  const manifest = json(document, mediaTypes.manifest);
  for (const part of [config, layer, manifest]) await push(registry, at, part);
  if (at.tag !== undefined) await registry.tag(at, manifest.descriptor);
  return manifest;
}
