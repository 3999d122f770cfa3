import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cancellable, type Descriptor, type Digest, isRamekinError, RamekinError, type Reference } from "@ramekin/core";
import { formatReference, isDigest, isObject, maxManifestSize, mediaTypes, parseIndex } from "@ramekin/oci";
import { type HttpResponse, readAll } from "./http.ts";
import { acceptManifests, resolveManifest } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import type { Session } from "./session.ts";
import { describe, existsRemotely, uploadManifest } from "./upload.ts";

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
 * referrers of its subject leaves that to us.
 */
export async function enterReferrer(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  bytes: Uint8Array,
  cancellable: Cancellable,
): Promise<void> {
  const referrer = referrerIn(descriptor, bytes);
  if (!referrer) return;
  await changeFallback(session, reference, referrer.subject, cancellable, (before) =>
    before.some(({ digest }) => digest === descriptor.digest) ? before : [...before, referrer.entry],
  );
}

/** Distribution spec, "Deleting Manifests": what is gone is no referrer any more; where the tag schema is in use, that is ours to say. */
export async function removeReferrer(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  bytes: Uint8Array,
  cancellable: Cancellable,
): Promise<void> {
  const referrer = referrerIn(descriptor, bytes);
  if (!referrer) return;
  await changeFallback(session, reference, referrer.subject, cancellable, (before) =>
    before.some(({ digest }) => digest === descriptor.digest) ? before.filter(({ digest }) => digest !== descriptor.digest) : before,
  );
}

const maxChanges = 10;
/** Milliseconds; shorter than it takes another client to write what it has read, and its write goes unnoticed. */
const shortestPause = 100;

/**
 * The schema has no lock: who has read before we write, and writes after it, undoes our change. So we look again once everybody
 * who was at it must have written, and do it again if need be. `change` hands back what it was given when there is nothing to do.
 */
async function changeFallback(
  session: Session,
  reference: Reference,
  subject: Digest,
  { signal }: Cancellable,
  change: (before: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  for (let changes = 0; ; changes++) {
    const begin = performance.now();
    const before = await fallbackIndex(session, reference, subject, signal);
    const after = change(before);
    if (after === before) return;
    if (changes === maxChanges) {
      const tag = formatReference({ ...reference, tag: referrersTag(subject) });
      throw new RamekinError("ABORTED", `others undid each of ${maxChanges} changes of ${tag}`, { hint: "try again when they are done" });
    }
    await writeFallback(session, reference, subject, after, signal).catch(async (error: unknown) => {
      // A registry refuses a list of what it does not have: somebody has deleted one of them, and perhaps not said so here.
      if (!isRamekinError(error, "INVALID_ARGUMENT")) throw error;
      const there = await Promise.all(after.map((each) => existsRemotely(session, reference, each, { signal })));
      await writeFallback(
        session,
        reference,
        subject,
        after.filter((_, index) => there[index]),
        signal,
      );
    });
    // As long as another client may take for the same, and for each a different time.
    const pause = Math.max(shortestPause, 2 * (performance.now() - begin)) * (1 + Math.random());
    await sleep(pause, undefined, signal && { signal }).catch((cause: unknown) => {
      throw new RamekinError("CANCELLED", "cancelled while waiting for other clients", { cause });
    });
  }
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
