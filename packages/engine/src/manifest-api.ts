import type { Cancellable, Descriptor, Digest, RegistryAccess } from "@ramekin/core";
import type { RemovedImage } from "./api.ts";
import type { PushedImage } from "./image-api.ts";

/**
 * Manifests and manifest lists; a part of `Engine`. A *manifest list* is an image index in the store, under a name as any image
 * has it. Its *members* are manifests; whatever of them is not here stays in the registry that it was found in.
 */
export interface ManifestVerbs {
  /** Of a list that was made here, or as the registry has it, without a pull; else of an image that is here. */
  inspectManifest(reference: string, options?: InspectManifestOptions): Promise<InspectedManifest>;
  /** Makes a list of images in registries, or here. ALREADY_EXISTS when there is one and `amend` is not given. */
  createManifestList(name: string, members: readonly string[], options?: CreateManifestListOptions): Promise<ManifestListInfo>;
  /** Says what platform a member is for. NOT_FOUND when the list has no such member. */
  annotateManifest(list: string, member: string, platform: PlatformAnnotation, options?: Cancellable): Promise<ManifestListInfo>;
  /** Sends the list, and of its members what the registry lacks: from here, or from the registry that has them. */
  pushManifestList(name: string, options?: PushManifestListOptions): Promise<PushedImage>;
  /** NOT_FOUND for what is no list that was made here. */
  removeManifestList(name: string, options?: Cancellable): Promise<readonly RemovedImage[]>;
}

export interface ManifestOptions extends Cancellable {
  /** To the registries that are asked; its account and its certificates, to that of the image or list alone. */
  readonly access?: RegistryAccess | undefined;
}

export interface InspectManifestOptions extends ManifestOptions {
  /** A list that is here: `reference` is one of its members. */
  readonly list?: string;
  /** With the manifests of all members. */
  readonly members?: boolean;
}

export interface ManifestDocument {
  /** Canonical, where to find it. */
  readonly reference: string;
  /** With the platform that the image is for, where that is known. */
  readonly descriptor: Descriptor;
  /** Exactly as stored. */
  readonly bytes: Uint8Array;
}

export interface InspectedManifest extends ManifestDocument {
  /** Of an index, when they were asked for. */
  readonly members?: readonly ManifestDocument[];
}

export interface CreateManifestListOptions extends ManifestOptions {
  /** Adds to a list that is there. A member that its name now gives another digest is replaced. */
  readonly amend?: boolean;
}

export interface ManifestListInfo {
  /** Canonical. */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly members: readonly Descriptor[];
}

/** What is absent stays as it is. */
export interface PlatformAnnotation {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly osVersion?: string;
  /** Added to those that are there. */
  readonly osFeatures?: readonly string[];
}

export interface PushManifestListOptions extends ManifestOptions {
  /** The list goes from here once it is there. */
  readonly purge?: boolean;
  /** The registry has this member now. */
  readonly onMember?: (member: { readonly reference: string; readonly digest: Digest }) => void;
}
