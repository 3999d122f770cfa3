import { createHash } from "node:crypto";
import { type Cancellable, type Descriptor, type Digest, isRamekinError, RamekinError, type Reference } from "@ramekin/core";
import { isDigest, isObject, maxManifestSize, mediaTypes, parseIndex } from "@ramekin/oci";
import { type HttpResponse, readAll } from "./http.ts";
import { acceptManifests, resolveManifest } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import type { Session } from "./session.ts";
import { describe, uploadManifest } from "./upload.ts";

export interface ReferrersOptions extends Cancellable {
  readonly artifactType?: string;
}

/** Distribution spec, "Listing Referrers"; where a registry has no such endpoint, the index under the fallback tag. */
export async function* listReferrers(
  session: Session,
  reference: Reference,
  { digest }: Descriptor,
  { artifactType, signal }: ReferrersOptions,
): AsyncIterable<Descriptor> {
  if (!isDigest(digest)) throw new RamekinError("INVALID_ARGUMENT", `not a digest: ${String(digest).slice(0, 200)}`);
  const what = `the referrers of ${describe(reference, digest)}`;
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType })}`;
  const seen = new Set<string>();
  let path: string | URL | undefined = `referrers/${digest}${query}`;
  while (path !== undefined) {
    const response: HttpResponse = await session.call(reference, {
      method: "GET",
      path,
      action: "pull",
      headers: { accept: mediaTypes.index },
      expect: [200, 400, 404, 405],
      what,
      signal,
    });
    const [type] = response.headers.get("content-type")?.split(";") ?? [];
    // A server that has never heard of the endpoint may also answer with a page of its own.
    if (response.status !== 200 || type?.trim() !== mediaTypes.index) {
      await response.discard();
      yield* (await fallbackIndex(session, reference, digest, signal)).filter((each) => wanted(each, artifactType));
      return;
    }
    const page = parseIndex(await readAll(response.body, maxManifestSize, what), mediaTypes.index);
    // The filter of the server is optional (OCI-Filters-Applied), so it is ours in any case.
    yield* page.manifests.filter((each) => wanted(each, artifactType));
    path = nextPage(response.headers.get("link"), response.url);
    if (path && seen.has(path.href)) throw new RamekinError("UNAVAILABLE", `${what}: the registry leads in a circle`);
    if (path) seen.add(path.href);
  }
}

const wanted = (each: Descriptor, artifactType: string | undefined) => artifactType === undefined || each.artifactType === artifactType;

/** Distribution spec, "Referrers Tag Schema". */
export function referrersTag(digest: Digest): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

async function fallbackIndex(
  session: Session,
  reference: Reference,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const { digest: _, ...repository } = reference;
  const at = { ...repository, tag: referrersTag(subject) };
  try {
    const { digest, mediaType } = await resolveManifest(session, at, { signal });
    // Somebody may have given the tag to an image.
    if (mediaType !== mediaTypes.index) return [];
    const what = describe(reference, digest);
    const response = await session.call(reference, {
      method: "GET",
      path: `manifests/${digest}`,
      action: "pull",
      headers: acceptManifests,
      expect: [200],
      what,
      signal,
    });
    return parseIndex(await readAll(response.body, maxManifestSize, what), mediaTypes.index).manifests;
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return [];
    throw error;
  }
}

/**
 * Distribution spec, "Pushing Manifests with Subject": a registry that does not say that it has entered the manifest among the
 * referrers of its subject leaves that to us. Two clients that do so at the same time may lose one entry: the schema has no lock.
 */
export async function enterReferrer(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  bytes: Uint8Array,
  { signal }: Cancellable,
): Promise<void> {
  const referrer = referrerIn(descriptor, bytes);
  if (!referrer) return;
  const before = await fallbackIndex(session, reference, referrer.subject, signal);
  if (before.some(({ digest }) => digest === descriptor.digest)) return;
  await writeFallback(session, reference, referrer.subject, [...before, referrer.entry], signal);
}

/** Distribution spec, "Deleting Manifests": what is gone is no referrer any more; where the tag schema is in use, that is ours to say. */
export async function removeReferrer(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  bytes: Uint8Array,
  { signal }: Cancellable,
): Promise<void> {
  const subject = referrerIn(descriptor, bytes)?.subject;
  const before = subject === undefined ? [] : await fallbackIndex(session, reference, subject, signal);
  const left = before.filter(({ digest }) => digest !== descriptor.digest);
  if (subject !== undefined && left.length < before.length) await writeFallback(session, reference, subject, left, signal);
}

async function writeFallback(
  session: Session,
  reference: Reference,
  subject: Digest,
  manifests: readonly Descriptor[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const document = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  const digest: Digest = `sha256:${createHash("sha256").update(document).digest("hex")}`;
  const made: Descriptor = { mediaType: mediaTypes.index, digest, size: document.byteLength };
  await uploadManifest(session, reference, made, () => ReadableStream.from([document]), { signal, name: referrersTag(subject) });
}

/** What a list of referrers says about a manifest; undefined for one without a subject. */
export function referrerIn({ mediaType, digest, size }: Descriptor, bytes: Uint8Array): { subject: Digest; entry: Descriptor } | undefined {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(document) || !isObject(document["subject"]) || !isDigest(document["subject"]["digest"])) return undefined;
  const config = isObject(document["config"]) ? document["config"]["mediaType"] : undefined;
  const artifactType = typeof document["artifactType"] === "string" && document["artifactType"] !== "" ? document["artifactType"] : config;
  const { annotations } = document;
  return {
    subject: document["subject"]["digest"],
    entry: {
      mediaType,
      digest,
      size,
      ...(typeof artifactType === "string" && { artifactType }),
      ...(isObject(annotations) && { annotations: annotations as Record<string, string> }),
    },
  };
}
