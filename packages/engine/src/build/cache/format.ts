import type { BuildLayer, Descriptor, Digest, MadeStep, Stack } from "@ramekin/core";

/**
 * BuildKit's cache document (cache/remotecache/v1/types/spec.go, `application/vnd.buildkit.cacheconfig.v0`): layers, each on another, and
 * records, each of a step, linked to the record of the step before. A record's layer is the topmost one after its step. The digests of
 * our records are our own keys: BuildKit reads the document and finds nothing of its own in it, as we do in what it wrote.
 */
export interface CacheDocument {
  readonly layers?: readonly CacheLayer[];
  readonly records?: readonly CacheRecord[];
}

export interface CacheLayer {
  readonly blob: Digest;
  /** -1: on nothing. */
  readonly parent?: number;
  readonly annotations?: { readonly mediaType?: string; readonly diffID?: Digest; readonly size?: number; readonly createdAt?: string };
}

export interface CacheRecord {
  readonly digest: Digest;
  readonly layers?: readonly { readonly layer: number; readonly createdAt: string }[];
  readonly inputs?: readonly (readonly { readonly selector?: string; readonly link: number }[])[];
}

export const cacheDocumentType = "application/vnd.buildkit.cacheconfig.v0";

/** Of a layer in a cache manifest (containerd's, BuildKit's), and ours for the contents of a cache mount. */
export const annotation = {
  diffID: "containerd.io/uncompressed",
  createdAt: "buildkit/createdat",
  mount: "dev.ramekin.cache-mount",
  /** `MODE:UID:GID`, the mode in octal. */
  mountOwner: "dev.ramekin.cache-mount.owner",
} as const;

/** The field of an image's configuration that has the records of an inline cache, base64. */
export const inlineField = "moby.buildkit.cache.v0";

const never = "0001-01-01T00:00:00Z";

/** The document of these steps, and the layers that it speaks of in their order. */
export function documentOf(steps: readonly MadeStep[]): { readonly document: CacheDocument; readonly layers: readonly Descriptor[] } {
  const layers: CacheLayer[] = [];
  const descriptors: Descriptor[] = [];
  const known = new Map<string, number>();
  const dates = new Map(steps.flatMap(({ layer, createdAt }) => (layer ? [[layer.descriptor.digest, createdAt.toISOString()]] : [])));
  const place = (stack: Stack): number => {
    let parent = -1;
    for (const { descriptor, diffID } of stack) {
      const { digest, mediaType, size } = descriptor;
      const path = `${parent} ${digest}`;
      const createdAt = dates.get(digest) ?? never;
      const at = known.get(path) ?? layers.push({ blob: digest, parent, annotations: { mediaType, diffID, size, createdAt } }) - 1;
      if (!known.has(path) && !descriptors.some((each) => each.digest === digest))
        descriptors.push({ mediaType, digest, size, annotations: { [annotation.createdAt]: createdAt, [annotation.diffID]: diffID } });
      known.set(path, at);
      parent = at;
    }
    return parent;
  };
  return { document: { layers, records: recordsOf(steps, place) }, layers: descriptors };
}

/** For the configuration of an image of these layers: steps whose layers are the image's lowest ones. */
export function inlineRecords(steps: readonly MadeStep[], image: Stack): readonly CacheRecord[] {
  const inImage = steps.filter((step) => isBelow(afterStep(step), image));
  return recordsOf(inImage, (stack) => stack.length - 1);
}

export const afterStep = ({ stack, layer }: MadeStep): Stack => (layer ? [...stack, layer] : stack);

export const isBelow = (stack: Stack, image: Stack): boolean =>
  stack.length <= image.length && stack.every(({ descriptor }, index) => descriptor.digest === image[index]?.descriptor.digest);

function recordsOf(steps: readonly MadeStep[], place: (stack: Stack) => number): readonly CacheRecord[] {
  const records: CacheRecord[] = [];
  const index = new Map<Digest, number>();
  const add = (digest: Digest, stack: Stack, createdAt: string, before?: number): number => {
    const known = index.get(digest);
    if (known !== undefined) return known;
    const layer = place(stack);
    const at = records.push({
      digest,
      ...(layer >= 0 && { layers: [{ layer, createdAt }] }),
      ...(before !== undefined && { inputs: [[{ link: before }]] }),
    });
    index.set(digest, at - 1);
    return at - 1;
  };
  // The steps of a stage come in their order, so the one before is known already unless it is an image.
  for (const step of steps) add(step.key, afterStep(step), step.createdAt.toISOString(), add(step.before, step.stack, never));
  return records;
}

export interface KnownStep {
  readonly layer?: BuildLayer;
  readonly createdAt: Date;
}

/** What the records say of steps; those of another shape, such as BuildKit's with several inputs, are passed over. */
export function stepsIn({ layers = [], records = [] }: CacheDocument): ReadonlyMap<Digest, KnownStep> {
  const steps = new Map<Digest, KnownStep>();
  const topOf = (record: CacheRecord | undefined) => record?.layers?.[0]?.layer ?? -1;
  for (const record of records) {
    const [result] = record.layers ?? [];
    const [inputs, more] = record.inputs ?? [];
    const [before, other] = inputs ?? [];
    if (!result || !before || more || other) continue;
    const createdAt = new Date(result.createdAt);
    if (Number.isNaN(createdAt.getTime())) continue;
    const below = topOf(records[before.link]);
    if (below === result.layer) {
      steps.set(record.digest, { createdAt });
      continue;
    }
    const found = layers[result.layer];
    const { mediaType, diffID, size } = found?.annotations ?? {};
    if (!found || (found.parent ?? 0) !== below || mediaType === undefined || diffID === undefined || size === undefined) continue;
    const layer = { descriptor: { mediaType, digest: found.blob, size }, diffID: diffID as BuildLayer["diffID"] };
    steps.set(record.digest, { layer, createdAt });
  }
  return steps;
}
