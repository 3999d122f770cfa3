import { type ByteStream, type Cancellable, type Descriptor, isRamekinError, RamekinError, type Reference } from "@ramekin/core";
import type { HttpResponse } from "./http.ts";
import { acceptManifests, isManifestLike, pathOf } from "./manifest.ts";
import { backOff, Transient } from "./retry.ts";
import type { RepositoryResponse, Session } from "./session.ts";

/**
 * The bytes of a blob or manifest from `offset` on, over as many connections as it takes: after a cut, the next one asks for
 * the rest (RFC 9110, 14.2). A server that ignores Range costs bandwidth, not correctness: what was there already is read and
 * dropped. Never yields a byte beyond `descriptor.size`. A mirror that does not get on, or contradicts itself, is passed over.
 */
export async function* download(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  { offset = 0, signal, mirrored = true }: Cancellable & { readonly offset?: number; readonly mirrored?: boolean },
): ByteStream {
  const { size, digest } = descriptor;
  if (!(offset >= 0 && offset <= size))
    throw new RamekinError("INVALID_ARGUMENT", `offset ${offset} is outside of ${digest} (${size} bytes)`);
  const { provenance } = session.parts;
  let at = offset;
  let failures = 0;
  while (at < size) {
    const start = at;
    let mirror: string | undefined;
    try {
      const response = await attempt(session, reference, descriptor, at, { signal, mirrored });
      mirror = response.mirror;
      await checkRange(response, descriptor, at);
      for await (const chunk of rest(response, descriptor, at)) {
        if (mirror !== undefined && at === start) provenance.cameFrom(mirror, digest);
        at += chunk.byteLength;
        yield chunk;
      }
      if (at < size) throw new Transient(new RamekinError("UNAVAILABLE", `${digest} ended after ${at} of ${size} bytes`));
    } catch (error) {
      const reason = error instanceof Transient ? error.error : error;
      const useless = isRamekinError(reason, "DATA_LOSS") || (error instanceof Transient && at === start);
      if (mirror !== undefined && useless) {
        provenance.avoid(mirror, digest, (reason as RamekinError).message);
        continue;
      }
      if (!(error instanceof Transient)) throw error;
      // Patience is for a server that gives nothing; as long as bytes arrive, the end comes nearer.
      failures = at > start ? 1 : failures + 1;
      await backOff(session.retry, failures, error, signal);
    }
  }
}

async function attempt(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  at: number,
  { signal, mirrored }: Cancellable & { readonly mirrored: boolean },
): Promise<RepositoryResponse> {
  return asking(
    descriptor,
    session.attempt(reference, {
      method: "GET",
      path: pathOf(descriptor),
      action: "pull",
      ...(mirrored && { mirrored: "digest", avoid: session.parts.provenance.avoided(descriptor.digest) }),
      headers: { ...(isManifestLike(descriptor.mediaType) && acceptManifests), ...(at > 0 && { range: `bytes=${at}-` }) },
      expect: [200, 206, 416],
      what: `${descriptor.digest} of ${reference.registry}/${reference.repository}`,
      signal,
    }),
  );
}

async function checkRange({ status, headers, discard }: HttpResponse, { digest, size }: Descriptor, at: number): Promise<void> {
  const served = headers.get("content-range");
  if (status === 200 || (at > 0 && status === 206 && served?.startsWith(`bytes ${at}-`))) return;
  await discard();
  throw new RamekinError(
    "DATA_LOSS",
    status === 416
      ? `the registry has fewer than ${at} of the ${size} bytes of ${digest}`
      : `the registry serves ${JSON.stringify(served)} of ${digest}, asked for the bytes from ${at}`,
  );
}

async function* rest(response: HttpResponse, { size, digest }: Descriptor, from: number): ByteStream {
  let at = response.status === 206 ? from : 0;
  for await (const chunk of response.body) {
    const seen = Math.max(0, from - at);
    at += chunk.byteLength;
    if (at > size) throw new RamekinError("DATA_LOSS", `the registry has more than ${size} bytes for ${digest}`);
    if (seen < chunk.byteLength) yield seen === 0 ? chunk : chunk.subarray(seen);
  }
}

/** Foreign layers are to be had from where their `urls` say, not from the registry: nobody here asks servers that an image names. */
async function asking({ digest, urls = [] }: Descriptor, response: Promise<RepositoryResponse>): Promise<RepositoryResponse> {
  try {
    return await response;
  } catch (cause) {
    if (urls.length === 0 || !isRamekinError(cause, "NOT_FOUND")) throw cause;
    const url = JSON.stringify(urls[0]?.slice(0, 200));
    throw new RamekinError("UNSUPPORTED", `${digest} is a foreign layer, which the registry does not have`, {
      cause,
      hint: `the image names ${url} for it, and layers are fetched from registries only`,
    });
  }
}
