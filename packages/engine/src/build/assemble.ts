import {
  type BuildAnnotation,
  type BuildDate,
  type BuildLayer,
  type BuiltPlatform,
  type Cancellable,
  type Descriptor,
  type Digest,
  type ImageForm,
  type MadeStep,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import { formatPlatform, layerCompression, mediaTypes, normalizePlatform } from "@ramekin/oci";
import { storeDocument } from "../import.ts";
import { inlineField, inlineRecords } from "./cache/format.ts";
import { rewriteLayer } from "./rewrite-layer.ts";
import type { Session } from "./session.ts";

export interface Assembled {
  /** Of the manifest, or the index. */
  readonly root: Descriptor;
  readonly configDigest?: Digest;
}

export interface AssembleOptions extends Cancellable {
  readonly date: BuildDate | undefined;
  /** Steps that the configuration says of, for builds that begin with this image as their cache. */
  readonly inline?: readonly MadeStep[] | undefined;
}

/** An image's documents, in the form that an output asks for, in the store and without a name. */
export async function assemble(
  session: Session,
  built: readonly BuiltPlatform[],
  form: ImageForm,
  options: AssembleOptions,
): Promise<Assembled> {
  const { annotations = [] } = form;
  const many = built.length > 1;
  if (!many && annotations.some(({ on }) => on === "index" || on === "manifest-descriptor"))
    throw new RamekinError("INVALID_ARGUMENT", "index annotations not supported for single platform export");
  const manifests: Descriptor[] = [];
  let configDigest: Digest | undefined;
  for (const each of built) {
    const { manifest, config } = await oneImage(session, each, form, options);
    const own = annotationsFor(annotations, "manifest-descriptor", each.platform);
    manifests.push({ ...manifest, platform: bare(each.platform), ...(own && { annotations: own }) });
    configDigest = config.digest;
  }
  const outer = annotationsFor(annotations, "index-descriptor");
  const described = (root: Descriptor): Descriptor => (outer ? { ...root, annotations: outer } : root);
  if (!many) {
    const { platform: _, annotations: __, ...root } = manifests[0] as Descriptor;
    return { root: described(root), ...(configDigest && { configDigest }) };
  }
  const mediaType = form.mediaTypes === "docker" ? mediaTypes.dockerManifestList : mediaTypes.index;
  const own = annotationsFor(annotations, "index");
  const index = { schemaVersion: 2, mediaType, manifests, ...(own && { annotations: own }) };
  return { root: described(await storeDocument(session.content, session.lease, index, mediaType)) };
}

async function oneImage(
  session: Session,
  { config, stack, below, platform }: BuiltPlatform,
  form: ImageForm,
  { date, inline, signal }: AssembleOptions,
): Promise<{ readonly manifest: Descriptor; readonly config: Descriptor }> {
  const { content, lease } = session;
  const docker = form.mediaTypes === "docker";
  const layers: BuildLayer[] = [];
  for (const [index, layer] of stack.entries()) {
    const { compression } = form;
    const base = index < below;
    const wanted = {
      ...(compression && (!base || compression.force) && { compression }),
      ...(date && !base && { date }),
    };
    layers.push(await rewriteLayer(session, layer, wanted, { signal }));
  }
  const records = inline && inlineRecords(inline, stack);
  const document = {
    ...config,
    rootfs: { type: "layers", diff_ids: layers.map(({ diffID }) => diffID) },
    ...(records && { [inlineField]: Buffer.from(JSON.stringify(records)).toString("base64") }),
  };
  const configuration = await storeDocument(content, lease, document, docker ? mediaTypes.dockerConfig : mediaTypes.config);
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.manifest;
  const annotations = annotationsFor(form.annotations ?? [], "manifest", platform);
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: configuration,
    layers: layers.map(({ descriptor }) => ({ ...descriptor, mediaType: layerType(descriptor, docker) })),
    ...(annotations && { annotations }),
  };
  return { manifest: await storeDocument(content, lease, manifest, mediaType), config: configuration };
}

/** One kind of manifest has one kind of layers, whatever its base had; the bytes are the same. */
function layerType({ mediaType }: Descriptor, docker: boolean): string {
  if (/nondistributable|foreign/.test(mediaType)) return mediaType;
  const compression = layerCompression(mediaType);
  const names = docker
    ? { plain: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.dockerLayerZstd }
    : { plain: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd };
  if (compression === undefined) return names.plain;
  return compression === "gzip" ? names.gzip : compression === "zstd" ? names.zstd : mediaType;
}

function annotationsFor(
  annotations: readonly BuildAnnotation[],
  on: BuildAnnotation["on"],
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const meant = annotations.filter(
    (each) => each.on === on && (!each.platform || !platform || formatPlatform(each.platform) === formatPlatform(platform)),
  );
  return meant.length === 0 ? undefined : Object.fromEntries(meant.map(({ key, value }) => [key, value]));
}

const bare = (platform: Platform): Platform => normalizePlatform(platform);
