import { type Cancellable, type Descriptor, isRamekinError, type Platform, RamekinError } from "@ramekin/core";
import { formatReference, isConfigType, isIndexType, isManifestType, parseImageConfig, parseManifest, parseReference } from "@ramekin/oci";
import { blobsOf, contentOf } from "../image.ts";
import { type DocumentSource, readDocument } from "../read-document.ts";
import type { Registries } from "../registries.ts";
import { canonicalName, resolveImage } from "../resolve.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";

/** A manifest or index, and who has its blobs. */
export interface Found {
  readonly descriptor: Descriptor;
  /** Canonical; absent for an image that is here without a name. */
  readonly reference?: string;
  readonly blobs: DocumentSource;
  readonly local: boolean;
}

/** In the registry that the reference names; when that does not have it, or does not answer, here. */
export async function find(scope: Scope, registries: Registries, text: string, options: Cancellable): Promise<Found> {
  const local = await findHere(scope, text);
  if (local && isId(text)) return local;
  if (canonicalName(text) === undefined) throw noSuchManifest(text);
  const reference = parseReference(text);
  const client = registries.at(reference.registry);
  try {
    const { annotations: _, ...descriptor } = await client.resolve(reference, { signal: options.signal });
    const blobs: DocumentSource = {
      blob: (blob, rest) => client.fetch(reference, blob, { ...rest }),
      distrust: (blob) => client.distrust?.(blob) ?? false,
    };
    return { descriptor, reference: formatReference(reference), blobs, local: false };
  } catch (error) {
    if (isRamekinError(error, "CANCELLED")) throw error;
    const absent = isRamekinError(error, "NOT_FOUND");
    if (!local) throw absent ? noSuchManifest(text, error) : error;
    if (!absent) scope.warn(`${text} is taken from here: ${error instanceof Error ? error.message : String(error)}`);
    return local;
  }
}

export async function findHere(scope: Scope, text: string): Promise<Found | undefined> {
  const found = resolveImage(await readImages(scope.paths), text);
  if (!found) return undefined;
  const { annotations: _, ...descriptor } = found.descriptor;
  const blobs = blobsOf(await contentOf(scope));
  return { descriptor, ...(found.name !== undefined && { reference: found.name }), blobs, local: true };
}

const isId = (text: string) => /^(?:sha256:)?[0-9a-f]{12,64}$/.test(text);

export function noSuchManifest(text: string, cause?: unknown): RamekinError {
  return new RamekinError("NOT_FOUND", `no such manifest: ${text}`, {
    cause,
    hint: "neither the registry nor this machine has it: `ramekin search REPOSITORY` lists the tags of a repository",
  });
}

/** As a member of a list: with the platform that its configuration names. INVALID_ARGUMENT for what is a list itself. */
export async function describeMember({ descriptor, blobs }: Found, text: string, options: Cancellable): Promise<Descriptor> {
  if (isIndexType(descriptor.mediaType)) {
    throw new RamekinError("INVALID_ARGUMENT", `${text} is a manifest list`, {
      hint: `name one of its images by digest; \`ramekin manifest inspect ${text}\` shows them`,
    });
  }
  const platform = await platformOf({ descriptor, blobs }, options);
  const { platform: _, ...bare } = descriptor;
  return { ...bare, ...(platform && { platform }) };
}

/** Undefined for an artifact, and for an image that does not say. */
export async function platformOf(
  { descriptor, blobs }: Pick<Found, "descriptor" | "blobs">,
  options: Cancellable,
): Promise<Platform | undefined> {
  if (!isManifestType(descriptor.mediaType)) return undefined;
  const read = (blob: Descriptor) => readDocument(blobs, blob, options);
  const { config } = parseManifest(await read(descriptor), descriptor.mediaType);
  if (!isConfigType(config.mediaType)) return undefined;
  const { architecture, os, variant, "os.version": version, "os.features": features } = parseImageConfig(await read(config));
  if (architecture === "" && os === "") return undefined;
  return {
    architecture,
    os,
    ...(version && { "os.version": version }),
    ...(features && features.length > 0 && { "os.features": features }),
    ...(variant && { variant }),
  };
}
