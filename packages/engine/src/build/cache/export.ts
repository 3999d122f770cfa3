import { join } from "node:path";
import type { BuiltPlatform, CacheTarget, Cancellable, Descriptor, ImageTarget, MadeStep, Stack } from "@ramekin/core";
import { layerCompression, mediaTypes, parseReference, withRefName } from "@ramekin/oci";
import { storeDocument } from "../../import.ts";
import { parallel } from "../../parallel.ts";
import { openRegistries } from "../../registries.ts";
import { rewriteLayer } from "../rewrite-layer.ts";
import type { Session } from "../session.ts";
import { afterStep, cacheDocumentType, documentOf, isBelow } from "./format.ts";
import { packMounts } from "./mounts.ts";

const concurrentUploads = 5;

/** See `BuildSession.exportCache`. Blobs first, the manifest after them, its name last. */
export async function exportCache(
  session: Session,
  made: readonly MadeStep[],
  built: readonly BuiltPlatform[],
  target: CacheTarget,
  options: Cancellable,
): Promise<void> {
  const wanted = target.mode === "max" ? made : made.filter((step) => built.some(({ stack }) => isBelow(afterStep(step), stack)));
  const steps = await compressed(session, wanted, target, options);
  const { document, layers } = documentOf(steps);
  const mounts = target.mounts ? await packMounts(session, new Set(made.flatMap((step) => step.mounts ?? [])), options) : [];
  await session.lease.protect(...layers.map(({ digest }) => digest));
  const config = await storeDocument(session.content, session.lease, document, cacheDocumentType);
  const blobs = [...layers, ...mounts];
  const manifest = await manifestOf(session, config, blobs, target);
  if (target.type === "local") await writeLocal(session, [...blobs, config], manifest, target, options);
  else await upload(session, [...blobs, config], manifest, target, options);
}

async function compressed(
  session: Session,
  steps: readonly MadeStep[],
  { compression }: CacheTarget,
  options: Cancellable,
): Promise<readonly MadeStep[]> {
  if (!compression) return steps;
  const own = new Set(steps.flatMap(({ layer }) => (layer ? [layer.descriptor.digest] : [])));
  const convert = async (stack: Stack) => {
    const all = [];
    for (const layer of stack) {
      const meant = compression.force || own.has(layer.descriptor.digest);
      all.push(meant ? await rewriteLayer(session, layer, { compression }, options) : layer);
    }
    return all;
  };
  const converted: MadeStep[] = [];
  for (const { layer, ...step } of steps) {
    const [after] = layer ? await convert([layer]) : [];
    converted.push({ ...step, stack: await convert(step.stack), ...(after && { layer: after }) });
  }
  return converted;
}

async function manifestOf(
  { content, lease }: Session,
  config: Descriptor,
  blobs: readonly Descriptor[],
  { imageManifest = true, mediaTypes: kind }: CacheTarget,
): Promise<Descriptor> {
  // A cache in Docker's media types is a list: there is no image manifest of that kind (BuildKit's rule).
  if (imageManifest && kind !== "docker") {
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: blobs.map(asOci) };
    return storeDocument(content, lease, manifest, mediaTypes.manifest);
  }
  const mediaType = kind === "docker" ? mediaTypes.dockerManifestList : mediaTypes.index;
  return storeDocument(content, lease, { schemaVersion: 2, mediaType, manifests: [...blobs.map(asOci), config] }, mediaType);
}

function asOci(layer: Descriptor): Descriptor {
  const types: Readonly<Record<string, string>> = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd };
  return { ...layer, mediaType: types[layerCompression(layer.mediaType) ?? ""] ?? mediaTypes.layer };
}

async function writeLocal(
  { content, scope }: Session,
  blobs: readonly Descriptor[],
  manifest: Descriptor,
  { directory, tag = "latest" }: CacheTarget & { readonly type: "local" },
  options: Cancellable,
): Promise<void> {
  const transport = await scope.kernel.use("transport", "oci");
  // As an absolute path: a colon in it would be the beginning of a name.
  await using target = (await transport.target?.(join(directory), options)) as ImageTarget;
  for (const blob of [...blobs, manifest]) await target.blob(blob, content.read(blob.digest, options), options);
  await target.root(withRefName(manifest, tag));
  await target.commit(options);
}

async function upload(
  { content, scope }: Session,
  blobs: readonly Descriptor[],
  manifest: Descriptor,
  { reference: text, insecure }: CacheTarget & { readonly type: "registry" },
  options: Cancellable,
): Promise<void> {
  const reference = parseReference(text);
  using registries = await openRegistries(scope, insecure ? { verify: false } : {}, reference.registry);
  const registry = registries.at(reference.registry);
  const send = (blob: Descriptor) => registry.push(reference, blob, (offset) => content.read(blob.digest, { ...options, offset }), options);
  await parallel(blobs, concurrentUploads, send);
  await send(manifest);
  await registry.tag({ ...reference, tag: reference.tag ?? "latest" }, manifest, options);
}
