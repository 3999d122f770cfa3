import { type ByteSource, type ContentStore, type Descriptor, RamekinError, type Reference, type RegistryClient } from "@ramekin/core";
import { findName, formatReference, layoutEntries, parseReference, refName } from "@ramekin/oci";
import type { PushedImage, PushOptions, PushProgress } from "./api.ts";
import { contentOf } from "./image.ts";
import { reachable } from "./images.ts";
import { blobsInOrder, gather, isDistributed, type Outgoing, rootFor } from "./outgoing.ts";
import { parallel } from "./parallel.ts";
import { openRegistries } from "./registries.ts";
import type { Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";

/** Docker's number. */
const concurrentUploads = 5;

/** See `Engine.push`. Blobs first, documents after what they name, the tag last: who pulls meanwhile gets the old image or the new. */
export async function push(scope: Scope, text: string, options: PushOptions = {}): Promise<PushedImage> {
  const reference = parseReference(text);
  const { tag } = reference;
  if (reference.digest !== undefined || tag === undefined)
    throw new RamekinError("INVALID_ARGUMENT", `cannot push ${text}: a digest cannot be pushed to`, { hint: "push by tag" });
  await scope.opened();
  const name = formatReference(reference);
  const found = findName(await readImages(scope.paths), name);
  if (!found) {
    throw new RamekinError("NOT_FOUND", `an image does not exist locally with the tag: ${text}`, {
      hint: `\`ramekin tag IMAGE ${text}\` gives it that name`,
    });
  }
  const content = await contentOf(scope);
  using registries = await openRegistries(scope, options.access, reference.registry);
  const registry = registries.at(reference.registry);
  const { annotations: _, ...local } = found;

  await using lease = await takeLease(scope.paths);
  await lease.protect(local.digest);
  const wanted = await gather(content, await rootFor(content, local, options.platform, text, options), options);
  await lease.protect(...blobsInOrder(wanted).map(({ digest }) => digest));
  const outgoing = await completeOne(content, registry, reference, wanted, options);

  const source = (descriptor: Descriptor): ByteSource => {
    return (offset) => content.read(descriptor.digest, { offset, signal: options.signal });
  };
  let root = outgoing.root;
  if (options.compression) {
    const { recompress } = await import("./recompress.ts");
    await using changed = await recompress(scope, content, outgoing, options.compression, options);
    root = changed.outgoing.root;
    await upload(
      registry,
      reference,
      changed.outgoing,
      (descriptor) => changed.source(descriptor) ?? source(descriptor),
      new Map(),
      options,
    );
  } else {
    await upload(registry, reference, outgoing, source, await knownElsewhere(scope, content, reference), options);
  }
  await registry.tag({ ...reference, tag }, root, { signal: options.signal });
  scope.emit("image", "push", local.digest, { name });
  return { name, descriptor: root, ...(root.digest !== local.digest && options.platform === undefined && { instead: local }) };
}

/**
 * A registry refuses an index whose images it does not have. Those that are not here may be there; if not, an index of which one
 * image is here is pushed as that image, as Docker does it.
 */
async function completeOne(
  content: ContentStore,
  registry: RegistryClient,
  reference: Reference,
  outgoing: Outgoing,
  options: PushOptions,
): Promise<Outgoing> {
  const lacking = await parallel(outgoing.absent, concurrentUploads, async (descriptor) =>
    (await registry.exists(reference, descriptor, { signal: options.signal })) ? [] : [descriptor],
  );
  const missing = lacking.flat();
  if (missing.length === 0) return outgoing;
  const [only, ...more] = outgoing.images.filter(({ descriptor }) => descriptor.platform?.os !== "unknown");
  if (!only || more.length > 0) {
    throw new RamekinError(
      "FAILED_PRECONDITION",
      `${outgoing.root.digest} lists ${missing.length} images that are neither here nor at ${reference.registry}`,
      {
        hint: "push one platform with --platform, or pull the others with --all-platforms",
      },
    );
  }
  const { platform: _, annotations: __, ...root } = only.descriptor;
  return gather(content, root, options);
}

async function upload(
  registry: RegistryClient,
  reference: Reference,
  outgoing: Outgoing,
  source: (descriptor: Descriptor) => ByteSource,
  elsewhere: ReadonlyMap<string, string>,
  options: PushOptions,
): Promise<void> {
  const layers = new Map<string, Descriptor>();
  for (const { manifest } of outgoing.images)
    for (const layer of manifest.layers) if (isDistributed(layer)) layers.set(layer.digest, layer);
  const send = (blob: Descriptor) => uploadBlob(registry, reference, blob, source(blob), elsewhere.get(blob.digest), options);
  for (const { digest, mediaType, size } of layers.values())
    options.onProgress?.({ digest, mediaType, status: "preparing", current: 0, total: size });
  await parallel([...layers.values()], concurrentUploads, send);
  const configs = outgoing.images.map(({ manifest }) => manifest.config).filter(({ digest }) => !layers.has(digest));
  await parallel([...configs, ...outgoing.others], concurrentUploads, send);
  await parallel(
    outgoing.images.map(({ descriptor }) => descriptor),
    concurrentUploads,
    send,
  );
  for (const index of outgoing.indexes) await send(index); // inner ones before those that name them
}

async function uploadBlob(
  registry: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  source: ByteSource,
  mountFrom: string | undefined,
  { signal, onProgress }: PushOptions,
): Promise<void> {
  const { digest, mediaType, size } = descriptor;
  const report = (status: PushProgress["status"], current: number, from?: string) =>
    onProgress?.({ digest, mediaType, status, current, total: size, ...(from !== undefined && { from }) });
  // With a mount in sight, only the registry can say which of both it was.
  if (mountFrom !== undefined && (await registry.exists(reference, descriptor, { signal }))) return report("exists", size);
  let read = false;
  const watched: ByteSource = async function* (offset) {
    read = true;
    let sent = offset;
    report("pushing", sent);
    for await (const chunk of source(offset)) {
      yield chunk;
      sent += chunk.byteLength;
      report("pushing", sent);
    }
  };
  await registry.push(reference, descriptor, watched, { signal, ...(mountFrom !== undefined && { mountFrom }) });
  if (read) report("pushed", size);
  else if (mountFrom === undefined) report("exists", size);
  else report("mounted", size, mountFrom);
}

/**
 * Repositories of the same registry that are likely to have a blob: those whose names stand here for an image with it. A wrong
 * guess costs one request; a right one, the whole upload.
 */
async function knownElsewhere(
  scope: Scope,
  content: ContentStore,
  { registry, repository }: Reference,
): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>();
  for (const entry of layoutEntries(await readImages(scope.paths))) {
    const name = refName(entry);
    const other = name === undefined ? undefined : parseReference(name);
    if (!other || other.registry !== registry || other.repository === repository) continue;
    for (const { manifest } of (await reachable(content, entry)).images) {
      for (const { digest } of manifest.layers) known.set(digest, other.repository);
    }
  }
  return known;
}
