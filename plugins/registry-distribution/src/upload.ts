import { type ByteSource, type ByteStream, type Cancellable, type Descriptor, RamekinError, type Reference } from "@ramekin/core";
import { formatReference, maxManifestSize } from "@ramekin/oci";
import { readAll } from "./http.ts";
import { pathOf } from "./manifest.ts";
import { withRetries } from "./retry.ts";
import type { RepositoryRequest, Session } from "./session.ts";

/** Distribution spec, "Pushing a blob monolithically" (POST then PUT), after an attempt to mount it. */
export async function uploadBlob(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  { signal, mountFrom }: Cancellable & { readonly mountFrom?: string },
): Promise<void> {
  const { digest, size } = descriptor;
  const mount = mountFrom === undefined ? "" : `?${new URLSearchParams({ mount: digest, from: mountFrom })}`;
  const common = {
    action: "pull,push",
    alsoPull: mountFrom,
    what: describe(reference, digest),
    signal,
  } satisfies Partial<RepositoryRequest>;

  await withRetries(session.retry, signal, async () => {
    const begun = await session.attempt(reference, { ...common, method: "POST", path: `blobs/uploads/${mount}`, expect: [201, 202] });
    await begun.discard();
    if (begun.status === 201) return;
    const location = begun.headers.get("location");
    if (location === null || !URL.canParse(location, begun.url.href)) {
      throw new RamekinError("UNAVAILABLE", `${common.what}: the registry does not say where to upload to`);
    }
    const path = new URL(location, begun.url);
    path.searchParams.set("digest", digest);
    const body = () => ({ size, bytes: exactly(source(0), descriptor) });
    const headers = { "content-type": "application/octet-stream" };
    const done = await session.attempt(reference, { ...common, method: "PUT", path, headers, body, expect: [201, 204] });
    await done.discard();
  });
}

/** Under its digest, or under a tag. */
export async function uploadManifest(
  session: Session,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  { signal, name = descriptor.digest }: Cancellable & { readonly name?: string },
): Promise<void> {
  const bytes = await readAll(exactly(source(0), descriptor), maxManifestSize, `manifest ${descriptor.digest}`);
  const done = await session.call(reference, {
    method: "PUT",
    path: `manifests/${name}`,
    action: "pull,push",
    headers: { "content-type": descriptor.mediaType },
    body: () => ({ size: bytes.byteLength, bytes: ReadableStream.from([bytes]) }),
    expect: [201, 202, 204],
    what: name === descriptor.digest ? describe(reference, descriptor.digest) : formatReference({ ...reference, tag: name }),
    signal,
  });
  await done.discard();
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

function describe({ registry, repository }: Reference, digest: string): string {
  return `${digest} of ${registry}/${repository}`;
}

async function* exactly(bytes: ByteStream, { size, digest }: Descriptor): ByteStream {
  let seen = 0;
  for await (const chunk of bytes) {
    seen += chunk.byteLength;
    if (seen > size) break;
    yield chunk;
  }
  if (seen !== size)
    throw new RamekinError("DATA_LOSS", `the source has ${seen > size ? "more" : "fewer"} than ${size} bytes for ${digest}`);
}
