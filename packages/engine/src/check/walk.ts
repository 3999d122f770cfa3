import { type ContentStore, type Descriptor, type Digest, isRamekinError, type Manifest, type Platform } from "@ramekin/core";
import { choosePlatform, isIndexType, isManifestType, parseIndex, parseManifest, readBlob } from "@ramekin/oci";
import type { ContainerConfig } from "../api.ts";
import { blobsOf, documentDigester } from "../image.ts";
import { isMadeHere } from "../manifest/list.ts";

/** What one entry of index.json, or one container's image, stands for. */
export interface Root {
  readonly descriptor: Descriptor;
  /** Canonical names, as in index.json. */
  readonly names: readonly string[];
  readonly listed: boolean;
  readonly containers: readonly ContainerConfig[];
}

/** A root with all that has to be here of it. */
export interface Walked {
  readonly root: Root;
  /** Documents, configurations and layers. */
  readonly needed: ReadonlyMap<Digest, Descriptor>;
  /** Manifests that must be whole, with what they refer to; only those that can be read. */
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly parts: readonly Descriptor[] }[];
  /** A manifest of another platform is here and whole: without those that are not, the image still is one. */
  readonly hasOther: (without: ReadonlySet<Digest>) => boolean;
}

/** Needs of an image that cannot be read stop where it cannot be read. Of a manifest list that was made here, only the index has to be. */
export async function walk(content: ContentStore, root: Root, platform: Platform): Promise<Walked> {
  const needed = new Map<Digest, Descriptor>([[root.descriptor.digest, root.descriptor]]);
  const children = await childrenOf(content, root.descriptor, needed);
  const manifests: Walked["manifests"][number][] = [];
  const whole = new Set<Digest>();
  const wanted = wantedOf(root, children, platform);
  for (const descriptor of children) {
    const parts = await partsOf(content, descriptor);
    const complete = parts !== undefined && (await allHere(content, parts));
    if (complete) whole.add(descriptor.digest);
    if (complete || wanted.has(descriptor.digest)) {
      needed.set(descriptor.digest, descriptor);
      manifests.push({ descriptor, parts: parts ?? [] });
    }
  }
  // An image of which no platform is whole is no image; that of this machine is the likeliest to have been one.
  if (manifests.length === 0 && children.length > 0 && !isMadeHere(root.descriptor)) {
    const descriptor = (await firstHere(content, children)) ?? likeliest(children, platform);
    needed.set(descriptor.digest, descriptor);
    manifests.push({ descriptor, parts: (await partsOf(content, descriptor)) ?? [] });
  }
  for (const { parts } of manifests) for (const part of parts) needed.set(part.digest, part);
  return { root, needed, manifests, hasOther: (without) => [...whole].some((digest) => !without.has(digest)) };
}

/** What containers run, and what a run on this machine would take if it is here. */
function wantedOf({ containers, descriptor }: Root, children: readonly Descriptor[], platform: Platform): ReadonlySet<Digest> {
  const wanted = new Set<Digest>(containers.map(({ image }) => image.manifest));
  if (isManifestType(descriptor.mediaType)) wanted.add(descriptor.digest);
  const chosen = isMadeHere(descriptor) ? undefined : chooseOrNone(children, platform);
  if (chosen) wanted.add(chosen.digest);
  return wanted;
}

function chooseOrNone(children: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  try {
    return choosePlatform(children, platform, "");
  } catch {
    return undefined;
  }
}

const likeliest = (children: readonly Descriptor[], platform: Platform) => chooseOrNone(children, platform) ?? (children[0] as Descriptor);

/** Manifests; of an index those that are here, since it may list platforms that nobody has fetched, unless none is. */
async function childrenOf(content: ContentStore, descriptor: Descriptor, needed: Map<Digest, Descriptor>): Promise<readonly Descriptor[]> {
  if (!isIndexType(descriptor.mediaType)) return [descriptor];
  const all: Descriptor[] = [];
  const here: Descriptor[] = [];
  const visit = async (index: Descriptor) => {
    const document = await readable(async () =>
      parseIndex(await readBlob(blobsOf(content), index, { digester: documentDigester }), index.mediaType),
    );
    for (const child of document?.manifests ?? []) {
      const found = await content.stat(child.digest);
      if (isIndexType(child.mediaType) && found && !needed.has(child.digest)) {
        needed.set(child.digest, child);
        await visit(child);
      } else if (isManifestType(child.mediaType)) {
        all.push(child);
        if (found) here.push(child);
      }
    }
  };
  await visit(descriptor);
  return here.length > 0 ? here : all;
}

/** Undefined for a manifest that cannot be read. */
async function partsOf(content: ContentStore, descriptor: Descriptor): Promise<readonly Descriptor[] | undefined> {
  const manifest: Manifest | undefined = await readable(async () =>
    parseManifest(await readBlob(blobsOf(content), descriptor, { digester: documentDigester }), descriptor.mediaType),
  );
  return manifest && [manifest.config, ...manifest.layers];
}

async function allHere(content: ContentStore, parts: readonly Descriptor[]): Promise<boolean> {
  for (const { digest } of parts) if (!(await content.stat(digest))) return false;
  return true;
}

async function firstHere(content: ContentStore, children: readonly Descriptor[]): Promise<Descriptor | undefined> {
  for (const child of children) if (await content.stat(child.digest)) return child;
  return undefined;
}

/** Whatever is wrong with a document is found when its blob is looked at. */
async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRamekinError(error)) return undefined;
    throw error;
  }
}
