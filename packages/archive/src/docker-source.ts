import { type ByteStream, type Cancellable, type Descriptor, type Digest, type ImageSource, RamekinError } from "@ramekin/core";
import {
  asDiffID,
  type ContainerImageConfig,
  type DigesterFor,
  digestOf,
  formatReference,
  isObject,
  maxManifestSize,
  mediaTypes,
  parseImageConfig,
  parseReference,
  withRefName,
} from "@ramekin/oci";
import { isGzip } from "./framing/gzip.ts";
import { isZstd } from "./framing/zstd.ts";
import { type ImageFiles, readSmall } from "./image-files.ts";

/** A list of images in a docker archive (Docker image spec v1.2, "Combined Image JSON"). */
interface ManifestEntry {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
}

/** Where the bytes of a blob come from. */
type Blob = { readonly bytes: Uint8Array } | { readonly file: string; readonly size: number };

/**
 * Images of a docker archive: `docker save` old and new, podman, skopeo. Their manifests are made here, OCI ones over the layers
 * as they lie in the archive; the config keeps its bytes. One root per tag, or one without a name.
 * The source owns `files`. NOT_FOUND where there is no manifest.json.
 */
export async function dockerSource(
  files: ImageFiles,
  { digester, name, signal }: { readonly digester: DigesterFor; readonly name?: string | undefined } & Cancellable,
): Promise<ImageSource> {
  const blobs = new Map<Digest, Blob>();
  try {
    const roots: Descriptor[] = [];
    for (const entry of await readManifest(files, signal)) roots.push(...(await imageRoots(files, entry, blobs, digester, signal)));
    return {
      roots: async () => (name === undefined ? roots : chosen(roots, name, files.location)),
      blob: (descriptor, options) => readBlobOf(files, blobs, descriptor, options),
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    };
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

async function readManifest(files: ImageFiles, signal: AbortSignal | undefined): Promise<readonly ManifestEntry[]> {
  const bytes = await readSmall(files, "manifest.json", 4 * maxManifestSize, { signal });
  const invalid = (why: string, cause?: unknown) =>
    new RamekinError("DATA_LOSS", `manifest.json in ${files.location}: ${why}`, cause === undefined ? {} : { cause });
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid("not json", error);
  }
  const strings = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === "string");
  if (!Array.isArray(list)) throw invalid("not a list");
  return list.map((entry: unknown, index) => {
    if (!isObject(entry)) throw invalid(`entry ${index} is not an object`);
    const { Config: config, RepoTags: tags, Layers: layers } = entry;
    if (typeof config !== "string" || config === "") throw invalid(`entry ${index} has no Config`);
    if (!strings(tags ?? []) || !strings(layers ?? [])) throw invalid(`entry ${index}: RepoTags and Layers must be lists of strings`);
    return { config, repoTags: (tags ?? []) as string[], layers: (layers ?? []) as string[] };
  });
}

async function imageRoots(
  files: ImageFiles,
  entry: ManifestEntry,
  blobs: Map<Digest, Blob>,
  digester: DigesterFor,
  signal: AbortSignal | undefined,
): Promise<Descriptor[]> {
  const sha256 = await digester("sha256");
  const keep = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const digest = await digestOf(bytes, sha256);
    blobs.set(digest, { bytes });
    return { mediaType, digest, size: bytes.byteLength };
  };
  const raw = await readSmall(files, entry.config, maxManifestSize, { signal });
  const parsed = parseImageConfig(raw);
  const ids = parsed.rootfs.diff_ids;
  if (ids.length !== entry.layers.length) {
    throw new RamekinError(
      "DATA_LOSS",
      `manifest.json in ${files.location} lists ${entry.layers.length} layers, ${entry.config} ${ids.length}`,
    );
  }
  const config = await keep(mediaTypes.config, raw);
  const layers: Descriptor[] = [];
  for (const [index, file] of entry.layers.entries()) {
    const layer = await layerDescriptor(files, file, ids[index] as Digest, digester, signal);
    blobs.set(layer.digest, { file, size: layer.size });
    layers.push(layer);
  }
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  const root = { ...(await keep(mediaTypes.manifest, new TextEncoder().encode(JSON.stringify(manifest)))), ...platformOf(parsed) };
  return entry.repoTags.length === 0 ? [root] : entry.repoTags.map((tag) => withRefName(root, canonical(tag)));
}

/** A layer that is a plain tar has its diff id for digest, which whoever stores it verifies; a compressed one has to be hashed. */
async function layerDescriptor(
  files: ImageFiles,
  file: string,
  diffID: Digest,
  digester: DigesterFor,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const size = await files.size(file);
  const [first = new Uint8Array(0)] = await all(files.read(file, { length: 16, signal }));
  const mediaType = isGzip(first) ? mediaTypes.layerGzip : isZstd(first) ? mediaTypes.layerZstd : mediaTypes.layer;
  if (mediaType === mediaTypes.layer) return { mediaType, digest: asDiffID(diffID), size };
  const hasher = await (await digester("sha256")).create();
  for await (const chunk of files.read(file, { signal })) hasher.update(chunk);
  return { mediaType, digest: hasher.digest(), size };
}

async function* readBlobOf(
  files: ImageFiles,
  blobs: ReadonlyMap<Digest, Blob>,
  { digest }: Descriptor,
  { offset = 0, signal }: Cancellable & { readonly offset?: number } = {},
): AsyncGenerator<Uint8Array> {
  const blob = blobs.get(digest);
  if (!blob) throw new RamekinError("NOT_FOUND", `${files.location} has no blob ${digest}`);
  const size = "bytes" in blob ? blob.bytes.byteLength : blob.size;
  if (offset > size) throw new RamekinError("INVALID_ARGUMENT", `blob ${digest} has ${size} bytes, none at offset ${offset}`);
  if ("bytes" in blob) {
    if (offset < size) yield blob.bytes.subarray(offset);
  } else {
    yield* files.read(blob.file, { offset, signal });
  }
}

function chosen(roots: readonly Descriptor[], name: string, location: string): readonly Descriptor[] {
  const wanted = canonical(name);
  const found = roots.filter((root) => root.annotations?.["org.opencontainers.image.ref.name"] === wanted);
  if (found.length === 0) throw new RamekinError("NOT_FOUND", `${location} has no image named ${name}`);
  return found;
}

/** Docker writes `debian:12`, skopeo `docker.io/library/debian:12`: one name for both. What is no name stays as it is. */
function canonical(tag: string): string {
  try {
    return formatReference(parseReference(tag));
  } catch (error) {
    if (error instanceof RamekinError) return tag;
    throw error;
  }
}

function platformOf({ os, architecture, variant }: ContainerImageConfig): Pick<Descriptor, "platform"> {
  if (os === "" || architecture === "") return {};
  return { platform: { os, architecture, ...(variant && { variant }) } };
}

async function all(source: ByteStream): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return pieces;
}
