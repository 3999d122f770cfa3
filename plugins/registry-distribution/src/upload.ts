import {
  type ByteSource,
  type ByteStream,
  type Cancellable,
  type Descriptor,
  type ErrorCode,
  isRamekinError,
  RamekinError,
  type Reference,
} from "@ramekin/core";
import { formatReference, maxManifestSize } from "@ramekin/oci";
import { type HttpResponse, readAll } from "./http.ts";
import { pathOf } from "./manifest.ts";
import { backOff, Transient, withRetries } from "./retry.ts";
import type { RepositoryRequest, Session } from "./session.ts";

/** Up to here POST and PUT, without a PATCH between them: one round trip less, and little to send again. */
const monolithic = 1 << 20;
/** Where a registry, or a proxy before it, does not take a large body at once: below what Cloudflare and nginx are often set to. */
const smallChunk = 32 << 20;

type Common = Pick<RepositoryRequest, "action" | "what" | "signal">;

/** Distribution spec, "Pushing Blobs": mount it, else send it at once, or in a stream that goes on where it was cut. */
export async function uploadBlob(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  { signal, mountFrom }: Cancellable & { readonly mountFrom?: string },
): Promise<void> {
  const { digest, size } = descriptor;
  const common: Common = { action: "pull,push", what: describe(reference, digest), signal };

  await withRetries(session.retry, signal, async () => {
    const begun = await begin(session, reference, digest, common, mountFrom);
    await begun.discard();
    if (begun.status === 201) return;
    const upload = locationOf(begun, common.what);
    const least = Number(begun.headers.get("oci-chunk-min-length") ?? 0);
    const last =
      size <= monolithic
        ? { path: upload, body: () => ({ size, bytes: exactly(source(0), descriptor, 0, size) }) }
        : { path: await patch(session, reference, descriptor, source, common, { upload, least }) };
    last.path.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    const done = await session.attempt(reference, { ...common, ...last, method: "PUT", headers, expect: [201, 204] });
    await done.discard();
  });
}

/** 201: mounted, and done; 202: an upload is open. A mount that is turned down, in whatever way, is no reason not to send the bytes. */
async function begin(
  session: Session,
  reference: Reference,
  digest: string,
  common: Common,
  mountFrom: string | undefined,
): Promise<HttpResponse> {
  const open = { ...common, method: "POST", expect: [201, 202] } as const;
  if (mountFrom !== undefined) {
    const path = `blobs/uploads/?${new URLSearchParams({ mount: digest, from: mountFrom })}`;
    try {
      return await session.attempt(reference, { ...open, path, alsoPull: mountFrom });
    } catch (error) {
      if (!(isRamekinError(error) && refusals.includes(error.code))) throw error;
    }
  }
  return session.attempt(reference, { ...open, path: "blobs/uploads/" });
}

const refusals: readonly ErrorCode[] = ["NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT", "UNSUPPORTED"];

/**
 * As one stream, which is what Docker sends and every registry takes; after a cut the registry says how far it came, and the
 * rest follows. In chunks where one request is too large. Resolves with where to close the upload.
 */
async function patch(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  common: Common,
  begin: { readonly upload: URL; readonly least: number },
): Promise<URL> {
  const { size } = descriptor;
  let { upload } = begin;
  let chunk = size;
  let at = 0;
  let failures = 0;
  while (at < size) {
    const [from, to] = [at, Math.min(size, at + chunk)];
    try {
      const sent = await session.attempt(reference, {
        ...common,
        method: "PATCH",
        path: upload,
        headers: {
          "content-type": "application/octet-stream",
          ...((from > 0 || to < size) && { "content-range": `${from}-${to - 1}` }),
        },
        body: () => ({ size: to - from, bytes: exactly(source(from), descriptor, from, to) }),
        expect: [201, 202, 204, 413],
      });
      await sent.discard();
      if (sent.status === 413) {
        if (chunk <= smallChunk)
          throw new RamekinError("RESOURCE_EXHAUSTED", `${common.what}: the registry refuses ${chunk} bytes at once`);
        chunk = Math.max(smallChunk, begin.least);
        ({ upload, at } = await progress(session, reference, common, upload));
        continue;
      }
      upload = locationOf(sent, common.what);
      at = to;
      failures = 0;
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      await backOff(session.retry, failures + 1, error, common.signal);
      ({ upload, at } = await progress(session, reference, common, upload));
      // Patience is for a registry that takes nothing; as long as bytes arrive, the end comes nearer.
      failures = at > from ? 0 : failures + 1;
    }
  }
  return upload;
}

/** Distribution spec, "Pushing a blob in chunks": `GET <location>` answers 204 with `Range: 0-<last byte>`. */
async function progress(session: Session, reference: Reference, common: Common, upload: URL): Promise<{ upload: URL; at: number }> {
  const status = await session
    .attempt(reference, { ...common, method: "GET", path: upload, expect: [200, 204] })
    .catch((error: unknown) => {
      // Gone, or never kept: from the beginning, in an upload of its own.
      if (error instanceof Transient) throw error;
      const lost = new RamekinError("UNAVAILABLE", `${common.what}: the registry has forgotten the upload`, { cause: error });
      throw common.signal?.aborted ? error : new Transient(lost);
    });
  await status.discard();
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(status.headers.get("range") ?? "") ?? [];
  // "0-0" is what registries say for nothing at all; one byte more sent twice would be refused, and begin anew.
  const at = last === undefined || last === "0" ? 0 : Number(last) + 1;
  return { upload: status.headers.get("location") === null ? upload : locationOf(status, common.what), at };
}

function locationOf({ headers, url }: HttpResponse, what: string): URL {
  const location = headers.get("location");
  if (location !== null && URL.canParse(location, url.href)) return new URL(location, url);
  throw new RamekinError("UNAVAILABLE", `${what}: the registry does not say where to upload to`);
}

export interface UploadedManifest {
  readonly bytes: Uint8Array;
  /** The registry has entered it among the referrers of this digest (OCI-Subject). */
  readonly subject: string | undefined;
}

/** Under its digest, or under a tag. */
export async function uploadManifest(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  { signal, name = descriptor.digest }: Cancellable & { readonly name?: string },
): Promise<UploadedManifest> {
  const bytes = await readAll(exactly(source(0), descriptor, 0, descriptor.size), maxManifestSize, `manifest ${descriptor.digest}`);
  const put = session.call(reference, {
    method: "PUT",
    path: `manifests/${name}`,
    action: "pull,push",
    headers: { "content-type": descriptor.mediaType },
    body: () => ({ size: bytes.byteLength, bytes: ReadableStream.from([bytes]) }),
    expect: [201, 202, 204],
    what: name === descriptor.digest ? describe(reference, descriptor.digest) : formatReference({ ...reference, tag: name }),
    signal,
  });
  const done = await put.catch((error: unknown) => {
    throw name === descriptor.digest ? aboutDigest(descriptor, error) : error;
  });
  await done.discard();
  return { bytes, subject: done.headers.get("oci-subject") ?? undefined };
}

/** The reference implementation takes blobs by any digest, manifests by sha256 alone, and says of others only that they do not match. */
function aboutDigest({ digest }: Descriptor, error: unknown): unknown {
  if (digest.startsWith("sha256:") || !isRamekinError(error, "INVALID_ARGUMENT")) return error;
  const hint = "many registries know manifests by sha256 alone: --compression zstd pushes layers and manifest made anew";
  return new RamekinError(error.code, error.message, { cause: error, hint });
}

export async function existsRemotely(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  { signal }: Cancellable,
): Promise<boolean> {
  const response = await session.call(reference, {
    method: "HEAD",
    path: pathOf(descriptor),
    action: "pull",
    headers: { accept: `${descriptor.mediaType}, */*` },
    expect: [200, 404],
    what: describe(reference, descriptor.digest),
    signal,
  });
  await response.discard();
  return response.status === 200;
}

export function describe({ registry, repository }: Reference, digest: string): string {
  return `${digest} of ${registry}/${repository}`;
}

/** The bytes [from, to) of a source that begins at `from`; a source that has more than the descriptor says, or less, is refused. */
async function* exactly(bytes: ByteStream, { size, digest }: Descriptor, from: number, to: number): ByteStream {
  let at = from;
  for await (const chunk of bytes) {
    const part = chunk.subarray(0, to - at);
    at += chunk.byteLength;
    if (at > size) break;
    if (part.byteLength > 0) yield part;
    if (at >= to && to < size) return;
  }
  if (at !== size) throw new RamekinError("DATA_LOSS", `the source has ${at > size ? "more" : "fewer"} than ${size} bytes for ${digest}`);
}
