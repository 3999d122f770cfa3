import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ByteStream, Descriptor, Digest } from "@ramekin/core";
import { mediaTypes } from "@ramekin/oci";
import { expect, test } from "vitest";
import { freshFolder } from "./transports.ts";

// The suite of transports gives images names and puts several in one place; a folder of this kind has one, without a name.

const blob = (mediaType: string, bytes: Uint8Array) => {
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { descriptor: { mediaType, digest, size: bytes.byteLength } satisfies Descriptor, bytes };
};
const document = (mediaType: string, value: object) => blob(mediaType, Buffer.from(JSON.stringify(value)));

function made(text: string) {
  const layer = blob(mediaTypes.layer, Buffer.from(text));
  const config = document(mediaTypes.config, {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [layer.descriptor.digest] },
  });
  const manifest = document(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: config.descriptor,
    layers: [layer.descriptor],
  });
  return { blobs: [layer, config, manifest], root: manifest.descriptor };
}

async function* stream(bytes: Uint8Array): ByteStream & AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function text(bytes: ByteStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("an index and its images go there and come back; nothing shows before the commit", async () => {
  await using transport = await freshFolder();
  const [a, b] = [made("a"), made("b")];
  const index = document(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [a.root, b.root] });
  const location = await transport.fresh();
  {
    await using target = await transport.target?.(location);
    for (const { descriptor, bytes } of [...a.blobs, ...b.blobs, index]) await target?.blob(descriptor, stream(bytes));
    await target?.root(index.descriptor);
    expect(await readdir(location)).not.toContain("manifest.json");
    await target?.commit();
  }
  await using source = await transport.source(location);
  expect(await source.roots()).toEqual([index.descriptor]);
  for (const { descriptor, bytes } of [...a.blobs, ...b.blobs, index])
    expect(await text(source.blob(descriptor))).toBe(Buffer.from(bytes).toString());
  expect(await text(source.blob(a.blobs[1]?.descriptor as Descriptor, { offset: 5 }))).toBe(
    Buffer.from(a.blobs[1]?.bytes ?? [])
      .toString()
      .slice(5),
  );
});

test("without a commit nothing stays, and a blob of other bytes is refused", async () => {
  await using transport = await freshFolder();
  const image = made("a");
  const location = await transport.fresh();
  {
    await using target = await transport.target?.(location);
    const [layer] = image.blobs;
    await expect(target?.blob(layer?.descriptor as Descriptor, stream(Buffer.from("b")))).rejects.toMatchObject({ code: "DATA_LOSS" });
    await target?.blob(layer?.descriptor as Descriptor, stream(layer?.bytes as Uint8Array));
  }
  expect(await transport.files()).toBe(0);
});

test("one image, in an empty folder", async () => {
  await using transport = await freshFolder();
  const location = await transport.fresh();
  await writeFile(join(location, "..", "beside"), "");
  {
    await using target = await transport.target?.(location);
    for (const image of [made("a"), made("b")]) {
      for (const { descriptor, bytes } of image.blobs) await target?.blob(descriptor, stream(bytes));
      await target?.root(image.root);
    }
    await expect(target?.commit()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  }
  await expect(transport.target?.(join(location, ".."))).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  await expect(transport.source(location)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
