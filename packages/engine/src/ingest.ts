import { setTimeout as sleep } from "node:timers/promises";
import {
  type ByteStream,
  type Cancellable,
  type ContentStore,
  type ContentWriter,
  type Descriptor,
  isRamekinError,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import {
  isConfigType,
  isIndexType,
  isManifestType,
  manifestsBelow,
  maxManifestSize,
  parseImageConfig,
  parseIndex,
  parseManifest,
  readBlob,
} from "@ramekin/oci";
import type { PullProgress } from "./api.ts";
import { blobsOf, checkConfigPlatform, chooseManifest, documentDigester, openedImage } from "./image.ts";
import { named } from "./naming.ts";
import type { Origin } from "./origin.ts";
import { parallel } from "./parallel.ts";
import type { Lease } from "./store/leases.ts";
import type { BlobTap } from "./tap.ts";
import type { ArrivingLayers } from "./unpack-arriving.ts";

export interface IngestOptions extends Cancellable {
  /** Of an index, only this platform; absent: every manifest that the origin has. */
  readonly platform?: Platform;
  /** By a person: an image without any choice of platforms has to be for this one, too. */
  readonly asked?: Platform | undefined;
  readonly name: string;
  readonly lease: Lease;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Works on the layers of the one image that is chosen, while they come. */
  readonly arriving?: Pick<ArrivingLayers, "expect" | "tap"> | undefined;
}

/** Docker's number: more connections make a registry slower, not faster. */
const concurrentLayers = 3;
/** For one blob, and only as long as each try gets on. */
const maxTries = 5;

/**
 * Brings an image into the content store: in one pass per blob, verified while it is written, going on where an earlier try has
 * stopped. An index is kept whole. Resolves with the number of blobs that had to move.
 */
export async function ingestImage(content: ContentStore, origin: Origin, root: Descriptor, options: IngestOptions): Promise<number> {
  let moved = 0;
  const take = async (descriptor: Descriptor, arriving?: IngestOptions["arriving"]) => {
    if (await ingestBlob(content, origin, descriptor, options, arriving)) moved++;
  };
  const document = async (descriptor: Descriptor) => {
    if (descriptor.size > maxManifestSize) throw tooBig(descriptor);
    await options.lease.protect(descriptor.digest);
    await take(descriptor);
    return readBlob(blobsOf(content), descriptor, { digester: documentDigester, signal: options.signal });
  };
  const image = async (descriptor: Descriptor) => {
    const bytes = await document(descriptor);
    const manifest = named(options.name, () => parseManifest(bytes, descriptor.mediaType));
    const { config, layers } = manifest;
    if (config.size > maxManifestSize) throw tooBig(config);
    await options.lease.protect(config.digest, ...layers.map(({ digest }) => digest));
    await take(config);
    // What cannot run is refused before its layers are fetched, and before it has a name. Artifacts have configs of their own.
    if (isConfigType(config.mediaType)) {
      const document = parseImageConfig(await readBlob(blobsOf(content), config, { digester: documentDigester }));
      if (options.asked) await checkConfigPlatform(document, options.asked, options.name);
      await options.arriving?.expect(await openedImage(descriptor, manifest, document));
    }
    const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
    for (const { digest, mediaType, size } of distinct)
      options.onProgress?.({ digest, mediaType, status: "waiting", current: 0, total: size });
    await parallel(distinct, concurrentLayers, (layer) => take(layer, options.arriving));
  };
  const indexes = async (descriptor: Descriptor): Promise<void> => {
    const bytes = await document(descriptor);
    const { manifests } = named(options.name, () => parseIndex(bytes, descriptor.mediaType));
    for (const nested of manifests) if (isIndexType(nested.mediaType)) await indexes(nested);
  };

  if (isManifestType(root.mediaType)) await image(root);
  else if (!isIndexType(root.mediaType)) throw new RamekinError("UNSUPPORTED", `${options.name} is not an image but ${root.mediaType}`);
  else {
    await indexes(root);
    if (options.platform) await image(await chooseManifest(blobsOf(content), root, options.platform, options.name, options));
    else await everyImage(content, root, image, options);
  }
  return moved;
}

/** An archive seldom has all that its index lists: what it lacks is passed over, as long as there is something. */
async function everyImage(
  content: ContentStore,
  root: Descriptor,
  image: (descriptor: Descriptor) => Promise<void>,
  options: IngestOptions,
) {
  const manifests = await manifestsBelow(blobsOf(content), root, { ...options, digester: documentDigester });
  let missing: unknown;
  let found = 0;
  for (const descriptor of manifests) {
    try {
      await image(descriptor);
      found++;
    } catch (error) {
      if (!isRamekinError(error, "NOT_FOUND")) throw error;
      missing = error;
    }
  }
  if (found === 0) throw missing ?? new RamekinError("NOT_FOUND", `${options.name} is an index without images`);
}

/** Resolves with whether bytes had to move. */
async function ingestBlob(
  content: ContentStore,
  origin: Origin,
  descriptor: Descriptor,
  options: IngestOptions,
  arriving: IngestOptions["arriving"],
): Promise<boolean> {
  const { digest, mediaType, size } = descriptor;
  const listener = tapOnce(() => arriving?.tap(descriptor));
  const report = (status: PullProgress["status"], current: number) =>
    options.onProgress?.({ digest, mediaType, status, current, total: size });
  for (let tries = 1, reached = -1; ; tries++) {
    const writer = await openWriter(content, descriptor, options);
    if (!writer) {
      report("exists", size);
      return false;
    }
    const from = writer.offset;
    // A function of its own: where `using` stands in the loop itself, esbuild 0.28 throws the error of one turn again in the next.
    const fill = async () => {
      await using open = writer;
      // Bytes are kept for whoever goes on; an empty beginning would be there for nobody.
      await using _ = { [Symbol.asyncDispose]: async () => (open.offset === 0 ? open.abort() : undefined) };
      report("downloading", from);
      if (from < size) {
        for await (const chunk of carried(descriptor, from) ?? origin.blob(descriptor, { offset: from, signal: options.signal })) {
          const at = open.offset;
          await open.write(chunk);
          await listener.write(chunk, at);
          report("downloading", open.offset);
        }
      }
      await open.commit({ digest, size });
      report("done", size);
      listener.end(size);
    };
    try {
      await fill();
      return true;
    } catch (error) {
      if (options.signal?.aborted) {
        listener.fail(error);
        throw options.signal.reason instanceof RamekinError
          ? options.signal.reason
          : new RamekinError("CANCELLED", `fetching ${digest} was cancelled`, { cause: error });
      }
      const progressed = writer.offset > Math.max(reached, from);
      reached = Math.max(reached, writer.offset);
      // Bytes of an earlier try may have been the wrong ones: the commit has dropped them, so once more from the start.
      const stale = isRamekinError(error, "DATA_LOSS") && from > 0;
      const broken =
        isRamekinError(error, "UNAVAILABLE") || isRamekinError(error, "TIMEOUT") || isRamekinError(error, "FAILED_PRECONDITION");
      if (tries < maxTries && (stale || (broken && progressed))) continue;
      // Without a limit of its own: with each such try there is one place less to ask.
      if (isRamekinError(error, "DATA_LOSS") && origin.distrust?.(descriptor)) continue;
      listener.fail(error);
      throw error;
    }
  }
}

/** Opens a tap with the first byte of a blob, and shuts it for good when a try does not go on where the last one stopped. */
function tapOnce(open: () => BlobTap | undefined) {
  let tap: BlobTap | undefined;
  let next = 0;
  const fail = (reason: unknown) => {
    tap?.fail(reason);
    tap = undefined;
    next = -1;
  };
  return {
    async write(chunk: Uint8Array, at: number): Promise<void> {
      if (at !== next) return fail(new RamekinError("UNAVAILABLE", "the bytes do not come in one pass"));
      if (at === 0) tap = open();
      next += chunk.byteLength;
      await tap?.write(chunk);
    },
    end(size: number): void {
      if (next === size) tap?.end();
    },
    fail,
  };
}

/** The content that a descriptor carries itself (OCI image spec, descriptor.md, "data"), unless it is too little or too much; verified like any other. */
function carried({ data, size }: Descriptor, from: number): ByteStream | undefined {
  if (data === undefined) return undefined;
  const bytes = Buffer.from(data, "base64");
  if (bytes.byteLength !== size) return undefined;
  return (async function* () {
    yield bytes.subarray(from);
  })();
}

/** Undefined when the blob is here; waits while another process fetches it. */
async function openWriter(
  content: ContentStore,
  { digest, size }: Descriptor,
  { signal }: Cancellable,
): Promise<ContentWriter | undefined> {
  if (await content.stat(digest)) return undefined;
  for (;;) {
    try {
      return await content.open(`blob-${digest}`, { expected: { digest, size }, signal });
    } catch (error) {
      if (isRamekinError(error, "ALREADY_EXISTS")) return undefined;
      if (!isRamekinError(error, "UNAVAILABLE")) throw error;
      await sleep(100, undefined, { ...(signal && { signal }) }).catch(() => {
        throw new RamekinError("CANCELLED", `waiting for ${digest} was cancelled`);
      });
    }
  }
}

const tooBig = ({ digest, size }: Descriptor) =>
  new RamekinError("RESOURCE_EXHAUSTED", `document ${digest} has ${size} bytes, the limit is ${maxManifestSize}`);
