import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A writer of image layouts that checks nothing, so that tests can write wrong ones. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

export const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const named = (descriptor: Descriptor, name: string): Descriptor => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": name },
});

export interface Layout {
  readonly folder: string;
  blob(mediaType: string, bytes: Uint8Array | string): Promise<Descriptor>;
  json(mediaType: string, document: unknown): Promise<Descriptor>;
  /** Last: what the layout's index names. */
  index(manifests: readonly unknown[]): Promise<void>;
}

export async function layout(folder: string): Promise<Layout> {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const blob = async (mediaType: string, bytes: Uint8Array | string) => {
    const digest = sha256(bytes);
    await writeFile(join(folder, "blobs", digest.replace(":", "/")), bytes);
    return { mediaType, digest, size: Buffer.byteLength(bytes) };
  };
  return {
    folder,
    blob,
    json: (mediaType, document) => blob(mediaType, JSON.stringify(document)),
    index: (manifests) => writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests })),
  };
}

export interface ImageParts {
  /** Uncompressed tars, base first. */
  readonly tars: readonly Uint8Array[];
  /** Of the image configuration's `config`: Cmd, Env, User … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of the image configuration itself. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly platform?: { readonly os: string; readonly architecture: string };
  /** Put in place of the right ones. */
  readonly diffIDs?: readonly string[];
}

/** Blobs, configuration and manifest of one image; its descriptor. */
export async function image(at: Layout, { tars, config = {}, fields = {}, platform, diffIDs }: ImageParts): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const bytes of tars) layers.push(await at.blob(types.layer, gzipSync(bytes, { level: 1 })));
  const { os, architecture } = platform ?? { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
  const document = { os, architecture, config, rootfs: { type: "layers", diff_ids: diffIDs ?? tars.map(sha256) }, ...fields };
  const described = await at.json(types.config, document);
  return at.json(types.manifest, { schemaVersion: 2, mediaType: types.manifest, config: described, layers });
}

/** A manifest of a layout, by name; with its layers and configuration parsed. */
export async function readImage(
  folder: string,
  name: string,
): Promise<{
  descriptor: Descriptor;
  layers: Descriptor[];
  config: Record<string, unknown> & { rootfs: { diff_ids: string[] }; config?: Record<string, unknown> };
}> {
  const read = async (path: string) => JSON.parse(await readFile(join(folder, path), "utf8"));
  const { manifests } = (await read("index.json")) as { manifests: Descriptor[] };
  const descriptor = manifests.find(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] === name) ?? manifests[0];
  if (!descriptor) throw new Error(`${folder}: no image ${name}`);
  const manifest = await read(`blobs/${descriptor.digest.replace(":", "/")}`);
  return { descriptor, layers: manifest.layers, config: await read(`blobs/${manifest.config.digest.replace(":", "/")}`) };
}
