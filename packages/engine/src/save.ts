import { encodedStream } from "@ramekin/archive";
import { type Descriptor, type ImageTarget, RamekinError } from "@ramekin/core";
import { refName, withRefName } from "@ramekin/oci";
import type { Compression, PullProgress, SaveFormat, SaveOptions } from "./api.ts";
import { contentOf } from "./image.ts";
import { blobsInOrder, gather, rootFor } from "./outgoing.ts";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { fileError } from "./store/files.ts";
import { readImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";

const transports: Readonly<Record<SaveFormat, string>> = {
  dual: "dual-archive",
  "docker-archive": "docker-archive",
  "oci-archive": "oci-archive",
  "oci-dir": "oci",
  "docker-dir": "dir",
};
const inDirectory: readonly SaveFormat[] = ["oci-dir", "docker-dir"];

/** See `Engine.save`. All images are found before the first byte is written. */
export async function save(
  scope: Scope,
  names: readonly string[],
  location: string | WritableStream<Uint8Array>,
  options: SaveOptions = {},
): Promise<void> {
  if (names.length === 0) throw new RamekinError("INVALID_ARGUMENT", "no image to save was named");
  await scope.opened();
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);

  const roots: Descriptor[] = [];
  const blobs = new Map<string, Descriptor>();
  for (const text of names) {
    const { descriptor } = mustResolve(await readImages(scope.paths), text);
    await lease.protect(descriptor.digest);
    const outgoing = await gather(content, bare(await rootFor(content, descriptor, options.platform, text, options)), options);
    if (outgoing.images.length === 0) throw new RamekinError("NOT_FOUND", `nothing of ${text} is here but its index`);
    if (outgoing.absent.length > 0) scope.warn(`${text}: ${outgoing.absent.length} of the images in its index are not here and not saved`);
    for (const blob of blobsInOrder(outgoing)) blobs.set(blob.digest, blob);
    roots.push(withRefName(outgoing.root, nameFor(text, descriptor)));
  }
  await lease.protect(...[...blobs.values()].map(({ digest }) => digest));

  await using target = await openTarget(scope, location, options);
  for (const blob of blobs.values()) {
    const { digest, mediaType, size } = blob;
    const report = (status: PullProgress["status"], current: number) =>
      options.onProgress?.({ digest, mediaType, status, current, total: size });
    report("downloading", 0);
    await target.blob(blob, content.read(digest, { signal: options.signal }), { signal: options.signal });
    report("done", size);
  }
  for (const root of roots) await target.root(root);
  await target.commit({ signal: options.signal });
  for (const root of roots) scope.emit("image", "save", root.digest, { name: refName(root) ?? root.digest });
}

/** An image that was asked for by its id goes without a name, as from Docker. */
function nameFor(text: string, descriptor: Descriptor): string | undefined {
  const hex = descriptor.digest.slice(descriptor.digest.indexOf(":") + 1);
  return hex.startsWith(text.replace(/^sha256:/, "")) ? undefined : refName(descriptor);
}

/** The entry's annotations are the store's own. */
const bare = ({ annotations: _, ...root }: Descriptor): Descriptor => root;

async function openTarget(scope: Scope, location: string | WritableStream<Uint8Array>, options: SaveOptions): Promise<ImageTarget> {
  const { format = "dual" } = options;
  const transport = await scope.kernel.use("transport", transports[format]);
  if (!transport.target) throw new RamekinError("UNSUPPORTED", `transport ${transports[format]} only reads`);
  const compression = compressionOf(location, options);
  if (inDirectory.includes(format)) {
    if (typeof location !== "string")
      throw new RamekinError("INVALID_ARGUMENT", `${format} is a directory, not a stream`, { hint: "name one with --output" });
    if (options.compress !== undefined && options.compress !== "none")
      throw new RamekinError("INVALID_ARGUMENT", `${format} cannot be compressed as a whole`);
    return open(() => transport.target?.(location, options), location);
  }
  if (compression === undefined) return open(() => transport.target?.(location, options), location);
  const codec = await scope.kernel.use("codec", { for: compression });
  const { encode } = codec;
  if (!encode) throw new RamekinError("UNSUPPORTED", `codec ${compression} only reads`);
  const stream = await encodedStream(location, (source) => encode.call(codec, source, { signal: options.signal }));
  return open(() => transport.target?.(stream, options), location);
}

async function open(make: () => Promise<ImageTarget> | undefined, location: string | WritableStream<Uint8Array>): Promise<ImageTarget> {
  try {
    return (await make()) as ImageTarget;
  } catch (error) {
    throw fileError(error, typeof location === "string" ? location : "the stream");
  }
}

function compressionOf(location: string | WritableStream<Uint8Array>, { compress }: SaveOptions): Compression | undefined {
  if (compress !== undefined) return compress === "none" ? undefined : compress;
  if (typeof location !== "string") return undefined;
  if (/\.t?gz$/.test(location)) return "gzip";
  return /\.t?(?:zst|zstd)$/.test(location) ? "zstd" : undefined;
}
