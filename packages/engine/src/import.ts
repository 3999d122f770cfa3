import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { checkedTar } from "@ramekin/archive";
import {
  type ByteStream,
  type Cancellable,
  type ContentStore,
  type Descriptor,
  type Digest,
  isRamekinError,
  RamekinError,
} from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import { applyChange, formatReference, type ImageRunConfig, mediaTypes, parseReference, putName, putUnnamed } from "@ramekin/oci";
import type { ImageInfo, ImportOptions } from "./api.ts";
import { contentOf } from "./image.ts";
import { describeImage } from "./images.ts";
import type { Scope } from "./scope.ts";
import { fileError } from "./store/files.ts";
import { changeImages } from "./store/images.ts";
import { type Lease, takeLease } from "./store/leases.ts";

/** See `Engine.import`. gzip and zstd are stored as they come, all else is stored as gzip. */
export async function importImage(scope: Scope, source: string | ByteStream, options: ImportOptions = {}): Promise<ImageInfo> {
  const name = options.name === undefined ? undefined : nameFrom(options.name, "import");
  const config = (options.changes ?? []).reduce<ImageRunConfig>(applyChange, {});
  await scope.opened();
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);

  const { layer, diffID } = await storeLayer(scope, content, lease, await recognised(opened(source, options)), options);
  const created = new Date().toISOString();
  const { os, architecture, variant } = options.platform ?? scope.platform;
  const comment = options.message ?? `Imported from ${typeof source === "string" && isURL(source) ? source : "-"}`;
  const document = {
    created,
    architecture,
    ...(variant !== undefined && { variant }),
    os,
    config,
    rootfs: { type: "layers", diff_ids: [diffID] },
    history: [{ created, comment }],
  };
  const configuration = await storeDocument(content, lease, document, mediaTypes.config);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: configuration, layers: [layer] };
  const root = await storeDocument(content, lease, manifest, mediaTypes.manifest);
  await changeImages(scope.paths, (index) => (name === undefined ? putUnnamed(index, root) : putName(index, name, root)), options);
  scope.emit("image", "import", root.digest, name === undefined ? {} : { name });
  return describeImage(scope, root, name, options);
}

export function nameFrom(text: string, verb: "import" | "commit" | "squash" | "build"): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `cannot ${verb} as ${text}: a name with a digest cannot be given`);
  return formatReference(reference);
}

const isURL = (text: string) => /^https?:\/\//.test(text);

function opened(source: string | ByteStream, { signal }: Cancellable): ByteStream {
  if (typeof source !== "string") return source;
  return isURL(source) ? download(source, signal) : fileAt(source);
}

async function* fileAt(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 << 10 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EISDIR"
      ? new RamekinError("INVALID_ARGUMENT", `${path} is a directory`, { hint: `tar -C ${path} -c . | ramekin import -` })
      : fileError(error, path);
  }
}

const maxRedirects = 10;

/** By node:http: fetch breaks on servers of HTTP/1.0 that close the connection while the reader is slow (undici 7, an assertion). */
async function* download(url: string, signal: AbortSignal | undefined, redirects = 0): AsyncGenerator<Uint8Array> {
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { ...(signal && { signal }) }, resolve).once("error", (error) => {
      reject(new RamekinError("UNAVAILABLE", `${url}: ${error.message}`, { cause: error }));
    });
  });
  const { statusCode: status = 0, statusMessage: said = "", headers } = response;
  if (status === 200) return yield* response as AsyncIterable<Uint8Array>;
  response.destroy();
  if (status < 300 || status > 399 || headers.location === undefined) {
    throw new RamekinError(status === 404 ? "NOT_FOUND" : "UNAVAILABLE", `${url}: the server answers ${status} ${said}`.trim());
  }
  const next = URL.parse(headers.location, url);
  if (!next || !isURL(next.href) || redirects >= maxRedirects)
    throw new RamekinError("UNAVAILABLE", `${url}: redirected to ${headers.location}, which leads nowhere`);
  yield* download(next.href, signal, redirects + 1);
}

export interface StoredLayer {
  readonly layer: Descriptor;
  readonly diffID: Digest;
}

const storedAs: Readonly<Record<string, string>> = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd };

/** A tar in whatever it is compressed with; undefined when it is not. */
export interface Recognised {
  readonly format: string | undefined;
  readonly bytes: ByteStream;
}

/** In one pass: decoded, checked to be a tar, hashed, stored. */
export async function storeLayer(
  scope: Scope,
  content: ContentStore,
  lease: Lease,
  { format, bytes }: Recognised,
  options: Cancellable,
): Promise<StoredLayer> {
  const stored = createHash("sha256");
  const plain = createHash("sha256");
  const writer = await content.open(`import-${lease.id}-${randomHex(4)}`, { signal: options.signal });
  const write = async (chunk: Uint8Array) => {
    stored.update(chunk);
    await writer.write(chunk);
  };
  try {
    const kept = format !== undefined && Object.hasOwn(storedAs, format);
    const input = kept ? passing(bytes, write) : bytes;
    const decoded = format === undefined ? input : (await codecFor(scope, format)).decode(input, { signal: options.signal });
    const tar = passing(checkedTar(decoded, options.signal), async (chunk) => void plain.update(chunk));
    if (kept) {
      for await (const _ of tar); // what passes is what counts
    } else {
      const codec = await scope.kernel.use("codec", { for: "gzip" });
      for await (const chunk of codec.encode?.(tar, { signal: options.signal }) ?? tar) await write(chunk);
    }
    const digest: Digest = `sha256:${stored.digest("hex")}`;
    await lease.protect(digest);
    const { size } = await writer.commit({ digest });
    return { layer: { mediaType: storedAs[kept ? format : "gzip"] as string, digest, size }, diffID: `sha256:${plain.digest("hex")}` };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** What is inside, decoded, when it is a tar, whatever it is compressed with; undefined when it is something else. */
export async function tarInside(scope: Scope, source: ByteStream, signal: AbortSignal | undefined): Promise<ByteStream | undefined> {
  const { format, bytes } = await recognised(source);
  const decoded = format === undefined ? bytes : (await codecFor(scope, format)).decode(bytes, { signal });
  const iterator = decoded[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    first.push(next.value);
    length += next.value.byteLength;
    if (length >= 512) break;
  }
  // POSIX.1-2017, ustar: the magic at 257, for GNU's and POSIX's alike.
  if (Buffer.concat(first).toString("latin1", 257, 262) !== "ustar") return void (await iterator.return?.());
  return (async function* () {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

export async function codecFor(scope: Scope, format: string) {
  try {
    return await scope.kernel.use("codec", { for: format });
  } catch (error) {
    if (!isRamekinError(error, "UNSUPPORTED")) throw error;
    throw new RamekinError("UNSUPPORTED", `the tar is compressed with ${format}, and there is no codec for that`, {
      cause: error,
      hint: error.hint ?? `\`${format} -dc FILE | ramekin import -\`, or a plugin that provides the codec`,
    });
  }
}

const magics: readonly (readonly [format: string, bytes: readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** By the first bytes: names lie, and streams have none. */
async function recognised(source: ByteStream): Promise<Recognised> {
  const iterator = source[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  let ended = false;
  while (first.byteLength < 6 && !ended) {
    const next = await iterator.next();
    if (next.done) ended = true;
    else first = Buffer.concat([first, next.value]);
  }
  const format = magics.find(([, bytes]) => bytes.every((byte, index) => first[index] === byte))?.[0];
  const bytes = (async function* () {
    try {
      if (first.byteLength > 0) yield first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
      ended = true;
    } finally {
      if (!ended) await iterator.return?.();
    }
  })();
  return { format, bytes };
}

async function* passing(source: ByteStream, see: (chunk: Uint8Array) => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    await see(chunk);
    yield chunk;
  }
}

export async function storeDocument(content: ContentStore, lease: Lease, document: object, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const size = bytes.byteLength;
  await lease.protect(digest);
  try {
    await using writer = await content.open(`blob-${digest}`, { expected: { digest, size } });
    await writer.truncate(0);
    await writer.write(bytes);
    await writer.commit({ digest, size });
  } catch (error) {
    if (!isRamekinError(error, "ALREADY_EXISTS")) throw error;
  }
  return { mediaType, digest, size };
}
