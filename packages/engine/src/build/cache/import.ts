import {
  type BuildLayer,
  type ByteStream,
  type CacheSource,
  type Cancellable,
  type Descriptor,
  type Digest,
  isRamekinError,
  type Manifest,
  RamekinError,
} from "@ramekin/core";
import { formatReference, isConfigType, isIndexType, isManifestType, mediaTypes, parseReference, refName } from "@ramekin/oci";
import { type Origin, openOrigin } from "../../origin.ts";
import { readDocument } from "../../read-document.ts";
import type { Session } from "../session.ts";
import { annotation, type CacheDocument, type CacheRecord, cacheDocumentType, inlineField, type KnownStep, stepsIn } from "./format.ts";
import { unpackMount } from "./mounts.ts";

/** Steps that somebody else has done, and where their layers come from when one is needed. */
export interface ImportedCache extends AsyncDisposable {
  readonly steps: ReadonlyMap<Digest, KnownStep>;
  blob(descriptor: Descriptor, options: Cancellable): ByteStream;
}

/** NOT_FOUND when there is no cache. The contents of cache mounts come at once, where there are none here yet. */
export async function openCache(session: Session, source: CacheSource, options: Cancellable): Promise<ImportedCache> {
  const held = new AsyncDisposableStack();
  try {
    const { origin, root } =
      source.type === "local" ? await fromLocal(session, source, held, options) : await fromRegistry(session, source, held, options);
    const { document, mounts } = await readCache(origin, root, options);
    for (const mount of mounts) await unpackMount(session, mount, origin.blob(mount, options), options);
    return {
      steps: stepsIn(document),
      blob: (descriptor, how) => origin.blob(descriptor, how),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

interface Opened {
  readonly origin: Origin;
  readonly root: Descriptor;
}

async function fromLocal(
  { scope }: Session,
  { directory, tag = "latest", digest }: CacheSource & { readonly type: "local" },
  held: AsyncDisposableStack,
  options: Cancellable,
): Promise<Opened> {
  const source = held.use(await (await scope.kernel.use("transport", "oci")).source(directory, options));
  const roots = await source.roots(options);
  const root = roots.find((each) => (digest === undefined ? refName(each) === tag : each.digest === digest));
  if (!root) throw new RamekinError("NOT_FOUND", `there is no cache ${digest ?? tag} in ${directory}`);
  return { origin: source, root };
}

async function fromRegistry(
  { scope }: Session,
  { reference, insecure }: CacheSource & { readonly type: "registry" },
  held: AsyncDisposableStack,
  { signal }: Cancellable,
): Promise<Opened> {
  const name = formatReference(parseReference(reference));
  const origin = held.use(await openOrigin(scope, name, { signal, ...(insecure && { access: { verify: false } }) }));
  return { origin, root: await origin.root() };
}

interface Read {
  readonly document: CacheDocument;
  /** Contents of cache mounts. */
  readonly mounts: readonly Descriptor[];
}

/** A cache's own manifest or index, or an image, or an index of images, with records in their configurations. */
async function readCache(origin: Origin, root: Descriptor, options: Cancellable): Promise<Read> {
  const json = async (descriptor: Descriptor): Promise<unknown> =>
    JSON.parse(Buffer.from(await readDocument(origin, descriptor, options)).toString("utf8"));
  const document = (await json(root)) as Partial<Manifest> & { readonly manifests?: readonly Descriptor[] };
  const all = document.layers ?? document.manifests ?? [];
  const config = document.config ?? all.find(({ mediaType }) => mediaType === cacheDocumentType);
  if (config?.mediaType === cacheDocumentType) {
    const mounts = all.filter(({ annotations }) => annotations?.[annotation.mount] !== undefined);
    return { document: (await json(config)) as CacheDocument, mounts };
  }
  if (isIndexType(root.mediaType)) {
    const images = all.filter(({ mediaType, platform }) => isManifestType(mediaType) && platform?.os !== "unknown");
    const read = await Promise.all(images.map((image) => readCache(origin, image, options)));
    return { document: joined(read.map((each) => each.document)), mounts: [] };
  }
  if (!config || !isConfigType(config.mediaType)) throw new RamekinError("NOT_FOUND", `${root.digest} is no cache`);
  const image = (await json(config)) as { readonly rootfs?: { readonly diff_ids?: readonly Digest[] }; readonly [inlineField]?: string };
  const text = image[inlineField];
  if (text === undefined) throw new RamekinError("NOT_FOUND", `the image ${root.digest} has no inline cache`);
  const records = JSON.parse(Buffer.from(text, "base64").toString("utf8")) as readonly CacheRecord[];
  const layers = all.map(({ digest, mediaType, size }, index) => {
    const diffID = image.rootfs?.diff_ids?.[index];
    return { blob: digest, parent: index - 1, annotations: { mediaType: oci(mediaType), size, ...(diffID && { diffID }) } };
  });
  return { document: { layers, records }, mounts: [] };
}

const oci = (mediaType: string): string => (mediaType === mediaTypes.dockerLayerGzip ? mediaTypes.layerGzip : mediaType);

function joined(documents: readonly CacheDocument[]): CacheDocument {
  const layers: NonNullable<CacheDocument["layers"]>[number][] = [];
  const records: CacheRecord[] = [];
  for (const document of documents) {
    const [below, before] = [layers.length, records.length];
    for (const { parent = 0, ...layer } of document.layers ?? []) layers.push({ ...layer, parent: parent < 0 ? parent : parent + below });
    for (const { layers: results, inputs, ...record } of document.records ?? []) {
      records.push({
        ...record,
        ...(results && { layers: results.map((result) => ({ ...result, layer: result.layer + below })) }),
        ...(inputs && { inputs: inputs.map((links) => links.map((each) => ({ ...each, link: each.link + before }))) }),
      });
    }
  }
  return { layers, records };
}

/** The layer of an imported step into the store; false when it cannot be had: then the step is done here. */
export async function fetchLayer(
  session: Session,
  cache: ImportedCache,
  { descriptor }: BuildLayer,
  options: Cancellable,
): Promise<boolean> {
  const { content, lease, scope } = session;
  const { digest, size } = descriptor;
  await lease.protect(digest);
  if (await content.stat(digest)) return true;
  try {
    await using writer = await content.open(`layer-${digest}`, { ...options, expected: { digest, size } });
    await writer.truncate(0);
    for await (const chunk of cache.blob(descriptor, options)) await writer.write(chunk);
    await writer.commit({ digest, size });
    return true;
  } catch (error) {
    if (isRamekinError(error, "ALREADY_EXISTS")) return true;
    if (isRamekinError(error, "CANCELLED")) throw error;
    scope.warn(`layer ${digest} of the imported cache: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
