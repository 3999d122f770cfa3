import { type Descriptor, type Manifest, RamekinError } from "@ramekin/core";
import { isStringMap, readDescriptor, readDescriptors } from "./descriptor.ts";
import { type JsonObject, parseJsonObject, present, Violations, withoutNulls } from "./json.ts";
import { isIndexType, isManifestType, isSchema1Type } from "./media-types.ts";

/** OCI image spec, image-index.md. */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What registries accept at most (distribution spec); Docker and containers/image read no more either. */
export const maxManifestSize = 4 << 20;
/** Nobody stacks layers or platforms so high; more is an attack on whoever loops over them. */
export const maxManifestEntries = 10_000;
/** An index in an index in an index: what tools really write is one. */
export const maxIndexDepth = 4;

/**
 * `mediaType` is what the descriptor or the registry called the bytes; the document must agree, and must be one thing only
 * (CVE-2021-41190: bytes that are a manifest to one reader and an index to another).
 * DATA_LOSS with all violations in `errors`, RESOURCE_EXHAUSTED when too big, UNSUPPORTED for Docker schema 1.
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  const fields = readDocument(bytes, "the manifest", mediaType);
  const violations = new Violations("the manifest");
  checkKind(fields, mediaType, isManifestType, violations);
  for (const field of ["manifests", "fsLayers", "history"]) {
    if (present(fields[field])) violations.add(field, "does not belong in a manifest");
  }
  const config = readDescriptor(fields["config"], "config", violations);
  const layers = readDescriptors(fields["layers"], "layers", violations);
  return finish<Manifest>(fields, { config, layers }, layers.length, violations);
}

/** As `parseManifest`. */
export function parseIndex(bytes: Uint8Array, mediaType?: string): ImageIndex {
  const fields = readDocument(bytes, "the index", mediaType);
  const violations = new Violations("the index");
  checkKind(fields, mediaType, isIndexType, violations);
  for (const field of ["config", "layers", "fsLayers", "history"]) {
    if (present(fields[field])) violations.add(field, "does not belong in an index");
  }
  const manifests = readDescriptors(fields["manifests"], "manifests", violations);
  return finish<ImageIndex>(fields, { manifests }, manifests.length, violations);
}

/** What bytes without a descriptor are; the registry's Content-Type goes first, this is for those that send none. */
export function detectManifestType(bytes: Uint8Array): string {
  const fields = readDocument(bytes, "the manifest", undefined);
  const { mediaType } = fields;
  if (typeof mediaType === "string" && (isManifestType(mediaType) || isIndexType(mediaType))) return mediaType;
  return Array.isArray(fields["manifests"]) ? "application/vnd.oci.image.index.v1+json" : "application/vnd.oci.image.manifest.v1+json";
}

function readDocument(bytes: Uint8Array, what: string, mediaType: string | undefined): JsonObject {
  if (mediaType !== undefined && isSchema1Type(mediaType)) throw schema1();
  const fields = withoutNulls(parseJsonObject(bytes, what, maxManifestSize));
  const own = fields["mediaType"];
  if (fields["schemaVersion"] === 1 || (typeof own === "string" && isSchema1Type(own))) throw schema1();
  return fields;
}

function checkKind(fields: JsonObject, expected: string | undefined, fits: (mediaType: string) => boolean, violations: Violations): void {
  const { schemaVersion, mediaType } = fields;
  if (schemaVersion !== 2) violations.add("schemaVersion", `must be 2, is ${JSON.stringify(schemaVersion) ?? "absent"}`);
  if (expected !== undefined && !fits(expected)) violations.add("mediaType", `the descriptor says ${expected}`);
  if (mediaType === undefined) return;
  if (typeof mediaType !== "string" || !fits(mediaType)) violations.add("mediaType", `the document says ${JSON.stringify(mediaType)}`);
  else if (expected !== undefined && mediaType !== expected)
    violations.add("mediaType", `the document says ${mediaType}, its descriptor ${expected}`);
}

function finish<T extends Manifest | ImageIndex>(fields: JsonObject, own: JsonObject, entries: number, violations: Violations): T {
  const { annotations, artifactType } = fields;
  const subject = present(fields["subject"]) ? readDescriptor(fields["subject"], "subject", violations) : undefined;
  if (present(annotations) && !isStringMap(annotations)) violations.add("annotations", "must map strings to strings");
  if (present(artifactType) && typeof artifactType !== "string") violations.add("artifactType", "must be a string");
  if (entries > maxManifestEntries) violations.add("layers", `${entries} entries, the limit is ${maxManifestEntries}`);
  violations.throw();
  return { ...fields, ...own, ...(subject && { subject }) } as unknown as T;
}

function schema1(): RamekinError {
  return new RamekinError("UNSUPPORTED", "the manifest is of docker schema 1, which no registry should serve any more", {
    hint: "push the image again with a current tool",
  });
}
