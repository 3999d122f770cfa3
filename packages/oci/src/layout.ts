import { type Descriptor, type Digest, RamekinError } from "@ramekin/core";
import { readDescriptor } from "./descriptor.ts";
import { isObject, type JsonObject, parseJsonObject, Violations } from "./json.ts";
import { mediaTypes } from "./media-types.ts";

/** OCI image spec, annotations.md: the name of an image in a layout. */
export const refNameAnnotation = "org.opencontainers.image.ref.name";

/** The file `oci-layout` (OCI image spec, image-layout.md). */
export const layoutMarker = '{"imageLayoutVersion":"1.0.0"}';

/** An index of a store with ten thousand names has some 5 MB; this is a fence against what is not an index. */
export const maxLayoutIndexSize = 64 << 20;

/**
 * The file `index.json` of a layout, with all that others put into it: unknown fields, and entries that make no sense to us,
 * survive every change that the functions below make. Immutable.
 */
export interface LayoutIndex {
  readonly schemaVersion: 2;
  /** As found; `layoutEntries` gives those that are descriptors. */
  readonly manifests: readonly unknown[];
  readonly [field: string]: unknown;
}

export const emptyLayoutIndex: LayoutIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };

export function parseLayoutIndex(bytes: Uint8Array): LayoutIndex {
  const fields = parseJsonObject(bytes, "index.json", maxLayoutIndexSize);
  const manifests = fields["manifests"] ?? [];
  if (fields["schemaVersion"] !== 2)
    throw new RamekinError("DATA_LOSS", `index.json has schema version ${JSON.stringify(fields["schemaVersion"])}, not 2`);
  if (!Array.isArray(manifests)) throw new RamekinError("DATA_LOSS", "index.json: manifests is not a list");
  return { ...fields, schemaVersion: 2, manifests };
}

export function formatLayoutIndex(index: LayoutIndex): string {
  return `${JSON.stringify(index)}\n`;
}

/** The file `oci-layout`: that it is of a version we know. UNSUPPORTED otherwise. */
export function checkLayoutMarker(bytes: Uint8Array): void {
  const { imageLayoutVersion } = parseJsonObject(bytes, "oci-layout", 64 << 10);
  if (typeof imageLayoutVersion !== "string" || !/^1\./.test(imageLayoutVersion)) {
    throw new RamekinError("UNSUPPORTED", `oci layout of version ${JSON.stringify(imageLayoutVersion)}; version 1 is supported`);
  }
}

/** The descriptors, in order; entries that are none are passed over. */
export function layoutEntries(index: LayoutIndex): readonly Descriptor[] {
  return index.manifests.flatMap((entry) => asDescriptor(entry) ?? []);
}

/** The name that a layout gives to a descriptor. */
export function refName(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[refNameAnnotation];
}

/** The same descriptor under another name, or under none. */
export function withRefName(descriptor: Descriptor, name: string | undefined): Descriptor {
  const { [refNameAnnotation]: _, ...others } = descriptor.annotations ?? {};
  const annotations = name === undefined ? others : { ...others, [refNameAnnotation]: name };
  const { annotations: __, ...rest } = descriptor;
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}

export function findName(index: LayoutIndex, name: string): Descriptor | undefined {
  return layoutEntries(index).find((descriptor) => refName(descriptor) === name);
}

/** All names of a digest. */
export function namesOf(index: LayoutIndex, digest: Digest): readonly string[] {
  return layoutEntries(index).flatMap((descriptor) => (descriptor.digest === digest ? (refName(descriptor) ?? []) : []));
}

/**
 * Points `name` at a descriptor. What the name stood for before stays, without a name, if it has no other; an entry without
 * a name for the same digest is taken over.
 */
export function putName(index: LayoutIndex, name: string, descriptor: Descriptor): LayoutIndex {
  const current = findName(index, name);
  const freed = current === undefined || current.digest === descriptor.digest ? dropName(index, name) : removeName(index, name);
  const manifests = freed.manifests.filter((entry) => {
    const known = asDescriptor(entry);
    return known?.digest !== descriptor.digest || refName(known) !== undefined;
  });
  return { ...freed, manifests: [...manifests, withRefName(descriptor, name)] };
}

/** Takes a name away; the last one leaves the descriptor behind without a name. An absent name is a no-op. */
export function removeName(index: LayoutIndex, name: string): LayoutIndex {
  const found = findName(index, name);
  if (!found) return index;
  const rest = dropName(index, name);
  const elsewhere = layoutEntries(rest).some(({ digest }) => digest === found.digest);
  return elsewhere ? rest : { ...rest, manifests: [...rest.manifests, withRefName(found, undefined)] };
}

/** Adds a descriptor without a name; a no-op when the digest is there under any name or none. */
export function putUnnamed(index: LayoutIndex, descriptor: Descriptor): LayoutIndex {
  if (layoutEntries(index).some(({ digest }) => digest === descriptor.digest)) return index;
  return { ...index, manifests: [...index.manifests, withRefName(descriptor, undefined)] };
}

/** Removes a digest under all its names. */
export function removeDigest(index: LayoutIndex, digest: Digest): LayoutIndex {
  return { ...index, manifests: index.manifests.filter((entry) => asDescriptor(entry)?.digest !== digest) };
}

function dropName(index: LayoutIndex, name: string): LayoutIndex {
  return {
    ...index,
    manifests: index.manifests.filter((entry) => {
      const known = asDescriptor(entry);
      return known === undefined || refName(known) !== name;
    }),
  };
}

function asDescriptor(entry: unknown): Descriptor | undefined {
  return isObject(entry) ? readDescriptor(entry as JsonObject, "", new Violations("")) : undefined;
}
