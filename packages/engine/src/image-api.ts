import type { ByteStream, Cancellable, Change, Descriptor, Digest, Platform, RegistryAccess } from "@ramekin/core";
import type { ImageInfo, PullProgress } from "./api.ts";
import type { Work } from "./work.ts";

/** What the engine does with images besides fetching and running them; a part of `Engine`. */
export interface ImageVerbs {
  /** The tags of a repository, as its registry lists them. */
  remoteTags(repository: string, options?: RemoteTagsOptions): Promise<readonly string[]>;
  /** Manifests in the registry that have this image as their subject: signatures, SBOMs, provenance. */
  referrers(reference: string, options?: ReferrersOptions): Promise<readonly Descriptor[]>;
  /** Sends an image to its registry: whole, or one platform of it. FAILED_PRECONDITION when the registry would lack a part that is not here either. */
  push(reference: string, options?: PushOptions): Work<PushedImage, PushProgress>;
  /** Writes images to a file, a directory or a stream, byte for byte. Of an index, what is here; what is not is named in a warning. */
  save(names: readonly string[], target: string | WritableStream<Uint8Array>, options?: SaveOptions): Work<void, PullProgress>;
  /** An image of one layer from the tar of a root file system: a path, a URL or a stream. */
  import(source: string | ByteStream, options?: ImportOptions): Promise<ImageInfo>;
  /** The image's root file system as a tar, all layers in one; the opposite of `import`. */
  exportImage(name: string, options?: Cancellable & { readonly platform?: Platform }): ByteStream;
  /** A new image with the same files in fewer layers: one, or those of `onto` and one. */
  squashImage(name: string, options?: SquashOptions): Promise<ImageInfo>;
  /** Newest first, steps that made no layer included. */
  history(name: string, options?: Cancellable & { readonly platform?: Platform }): Promise<readonly HistoryStep[]>;
  /** What `name` has that `base` has not, and the other way round; without `base`, what the last layer of `name` changes. */
  imageChanges(name: string, base?: string, options?: Cancellable & { readonly platform?: Platform }): AsyncIterable<Change>;
  /** Each platform that the image is for, and whether it is here. */
  platforms(name: string, options?: Cancellable): Promise<readonly ImagePlatform[]>;
  /** Mounts the image read-only in the caller's mount namespace; mounted already, the same path. Needs root. */
  mountImage(name: string, options?: Cancellable & { readonly platform?: Platform }): Promise<ImageMount>;
  mountedImages(options?: Cancellable): Promise<readonly ImageMount[]>;
  /** NOT_FOUND when it is not mounted. */
  unmountImage(name: string, options?: Cancellable): Promise<ImageMount>;
  /** Removes images without a name, or (`all`) all that no container uses. */
  pruneImages(options?: PruneImagesOptions): Promise<PrunedImages>;
}

export type Compression = "gzip" | "zstd";

export interface RemoteTagsOptions extends Cancellable {
  readonly access?: RegistryAccess | undefined;
}

export interface ReferrersOptions extends RemoteTagsOptions {
  /** Only those of this type. */
  readonly artifactType?: string;
}

export interface PushOptions extends Cancellable {
  /** Only this one, as an image of its own. */
  readonly platform?: Platform;
  /** Layers that are compressed in another way are compressed anew, on the way; the manifest, and so the digest, becomes another. */
  readonly compression?: { readonly format: Compression; readonly level?: number };
  readonly access?: RegistryAccess | undefined;
  readonly onProgress?: (progress: PushProgress) => void;
}

/** One blob on its way. `mounted`: the registry took it from `from`, another repository of its own. */
export interface PushProgress {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly status: "preparing" | "pushing" | "pushed" | "exists" | "mounted";
  readonly current: number;
  readonly total: number;
  readonly from?: string;
}

export interface PushedImage {
  /** Canonical. */
  readonly name: string;
  /** As the registry has it now. */
  readonly descriptor: Descriptor;
  /** The local image, where something else was pushed in place of it: because of `compression`, or since only one platform is here. */
  readonly instead?: Descriptor;
}

/** `dual`: an OCI layout with docker's manifest.json in one tar, as `docker save` writes it. The others as podman names them. */
export type SaveFormat = "dual" | "docker-archive" | "oci-archive" | "oci-dir" | "docker-dir";

export interface SaveOptions extends Cancellable {
  readonly platform?: Platform;
  /** `dual` when absent. */
  readonly format?: SaveFormat;
  /** Of the archive as a whole. Absent: as the suffix of a path says. */
  readonly compress?: Compression | "none";
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface ImportOptions extends Cancellable {
  readonly name?: string;
  /** This machine's when absent. */
  readonly platform?: Platform;
  /** Dockerfile instructions, such as `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  /** The comment in the history. */
  readonly message?: string;
}

export interface SquashOptions extends Cancellable {
  /** Of the new image; without one it is known by its digest. */
  readonly name?: string;
  /** An image whose layers stay as they are. FAILED_PRECONDITION when the other is not built on it. */
  readonly onto?: string;
  readonly platform?: Platform;
  /** The comment in the history. */
  readonly message?: string;
}

export interface HistoryStep {
  /** Only the newest step has one: those below are no images of their own. */
  readonly id?: Digest;
  readonly createdAt?: Date;
  readonly createdBy: string;
  readonly comment: string;
  /** The layer that it made. */
  readonly layer?: Descriptor;
  /** Bytes on disk when unpacked, of the stored layer otherwise; 0 without a layer. */
  readonly size: number;
  /** Names of the image, at the newest step. */
  readonly names: readonly string[];
}

export interface ImagePlatform {
  readonly descriptor: Descriptor;
  /** Absent for what says none, such as an attestation. */
  readonly platform?: Platform;
  /** All of it is here. */
  readonly available: boolean;
  /** Bytes of what is here, compressed. */
  readonly size: number;
  /** Bytes of its snapshots; 0 when it is not unpacked. */
  readonly unpacked: number;
  /** Chain ids, base first, with the bytes of the stored layer. */
  readonly layers: readonly { readonly digest: Digest; readonly chainId: string; readonly size: number }[];
  /** Container ids. */
  readonly containers: readonly string[];
}

export interface ImageMount {
  readonly id: Digest;
  readonly name?: string;
  readonly path: string;
}

export interface PruneImagesOptions extends Cancellable {
  readonly all?: boolean;
  /** Only what was made before. */
  readonly until?: Date;
  /** Asked of each image that would go. */
  readonly keep?: (image: ImageInfo, labels: Readonly<Record<string, string>>) => boolean;
}

export interface PrunedImages {
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
  /** Bytes of the blobs. */
  readonly reclaimed: number;
}
