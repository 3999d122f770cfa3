import { createHash } from "node:crypto";
import { type Cancellable, type Descriptor, type Digest, RamekinError, type Reference } from "@ramekin/core";
import {
  acceptedManifestTypes,
  detectManifestType,
  digestAlgorithm,
  formatReference,
  isDigest,
  isIndexType,
  isManifestType,
  isSchema1Type,
  maxManifestSize,
} from "@ramekin/oci";
import { type HttpResponse, readAll } from "./http.ts";
import type { RepositoryRequest, Session } from "./session.ts";

export const acceptManifests = { accept: acceptedManifestTypes.join(", ") };

/** Artifacts may have manifests of types that we do not know; whatever is none of these is a blob. */
export function isManifestLike(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType) || isSchema1Type(mediaType);
}

/** `manifests/<digest>` or `blobs/<digest>`. */
export function pathOf({ mediaType, digest }: Descriptor): string {
  if (!isDigest(digest)) throw new RamekinError("INVALID_ARGUMENT", `not a digest: ${String(digest).slice(0, 200)}`);
  return `${isManifestLike(mediaType) ? "manifests" : "blobs"}/${digest}`;
}

/** HEAD tells all there is to know where the registry sends digest, size and type; where it does not, the bytes do. */
export async function resolveManifest(session: Session, reference: Reference, { signal }: Cancellable): Promise<Descriptor> {
  const { provenance } = session.parts;
  const name = reference.digest ?? reference.tag ?? "latest";
  const request = {
    path: `manifests/${name}`,
    action: "pull",
    mirrored: reference.digest ? "digest" : "tag",
    headers: acceptManifests,
    what: formatReference(reference),
    signal,
  } satisfies Partial<RepositoryRequest>;

  for (;;) {
    const avoid = reference.digest && provenance.avoided(reference.digest);
    const ask = (method: "HEAD" | "GET", expect: readonly number[]) =>
      session.call(reference, { ...request, method, expect, ...(avoid && { avoid }) });
    const head = await ask("HEAD", [200, 405, 501]);
    await head.discard();
    const described = head.status === 200 ? describedBy(head) : undefined;
    const response = described ? head : await ask("GET", [200]);
    const found = described ?? (await measured(response, reference));
    if (response.mirror === undefined || !reference.digest || reference.digest === found.digest) return checked(found, reference);
    provenance.avoid(response.mirror, reference.digest, `it answers ${found.digest}`);
  }
}

function describedBy({ headers }: HttpResponse): Descriptor | undefined {
  const digest = headers.get("docker-content-digest");
  const length = headers.get("content-length") ?? "";
  const mediaType = mediaTypeOf(headers);
  if (!isDigest(digest) || !/^[1-9]\d*$/.test(length) || mediaType === undefined) return undefined;
  return { mediaType, digest, size: Number(length) };
}

async function measured(response: HttpResponse, reference: Reference): Promise<Descriptor> {
  const bytes = await readAll(response.body, maxManifestSize, `the manifest of ${formatReference(reference)}`);
  const algorithm = reference.digest ? digestAlgorithm(reference.digest) : "sha256";
  const digest: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  return { mediaType: mediaTypeOf(response.headers) ?? detectManifestType(bytes), digest, size: bytes.byteLength };
}

/** Only a type that says something: many servers answer application/json or octet-stream for whatever they do not know. */
function mediaTypeOf(headers: Headers): string | undefined {
  const mediaType = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  return isManifestLike(mediaType) ? mediaType : undefined;
}

function checked(descriptor: Descriptor, reference: Reference): Descriptor {
  const name = formatReference(reference);
  if (isSchema1Type(descriptor.mediaType)) {
    throw new RamekinError("UNSUPPORTED", `${name} is a manifest of docker schema 1`, {
      hint: "Docker has not written this format since 1.10: push the image again with a current tool",
    });
  }
  if (descriptor.size > maxManifestSize) {
    throw new RamekinError("RESOURCE_EXHAUSTED", `the manifest of ${name} has ${descriptor.size} bytes, the limit is ${maxManifestSize}`);
  }
  if (reference.digest && reference.digest !== descriptor.digest) {
    throw new RamekinError("DATA_LOSS", `the registry answers ${descriptor.digest} for ${name}`);
  }
  return descriptor;
}
