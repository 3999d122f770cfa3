import type { Stack } from "./build.ts";
import type { ImageConfig } from "./image.ts";
import type { Descriptor, Platform } from "./oci/descriptor.ts";
import type { Digest } from "./oci/digest.ts";

/** What a build has made for one platform. */
export interface BuiltPlatform {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly stack: Stack;
  /** How many layers of the stack, from the lowest, are a base's: they stay byte for byte as they are, unless `force` says otherwise. */
  readonly below: number;
}

/** Where what was built goes. Several platforms become one image index, or a folder each. */
export type BuildOutput = ImageOutput | ArchiveOutput | FilesOutput;

/** How an image is written down. */
export interface ImageForm {
  /** The build's tags when absent. */
  readonly names?: readonly string[];
  readonly compression?: LayerCompression;
  /** `oci` when absent. */
  readonly mediaTypes?: "oci" | "docker";
  /** Times of files in new layers: none is later than the build's date. As the build says when absent. */
  readonly rewriteTimes?: boolean;
  readonly annotations?: readonly BuildAnnotation[];
}

export interface LayerCompression {
  readonly format: "gzip" | "zstd" | "uncompressed";
  readonly level?: number;
  /** Layers of bases, too. */
  readonly force?: boolean;
}

export interface BuildAnnotation {
  readonly on: "manifest" | "index" | "manifest-descriptor" | "index-descriptor";
  /** Every one when absent. */
  readonly platform?: Platform;
  readonly key: string;
  readonly value: string;
}

/** Into the store, and from there to its registry. */
export interface ImageOutput extends ImageForm {
  readonly type: "image";
  readonly push?: boolean;
  /** The registry need not prove itself, and may speak plain HTTP. */
  readonly insecure?: boolean;
}

/** `docker`: what `docker load` and `podman load` read; `oci`: an OCI layout, in a tar or in a directory. */
export interface ArchiveOutput extends ImageForm {
  readonly type: "docker" | "oci";
  /** A path, or where the tar goes. */
  readonly location: string | WritableStream<Uint8Array>;
  readonly directory?: boolean;
}

/** The files alone: in a directory, where they become the caller's, or in a tar. */
export interface FilesOutput {
  readonly type: "local" | "tar";
  readonly location: string | WritableStream<Uint8Array>;
  /** What else is in the directory goes, once all is built. */
  readonly clear?: boolean;
  /** A folder for each platform; for more than one when absent. */
  readonly split?: boolean;
}

/** With a date, what was built is the same whenever it is built. */
export interface BuildDate {
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Of files in new layers: `clamp` what is later, `set` all, `keep`. */
  readonly files: "keep" | "clamp" | "set";
}

export interface BuiltImage {
  /** Of the manifest, or with several platforms the index. */
  readonly digest: Digest;
  readonly descriptor: Descriptor;
  /** Of several platforms there are several. */
  readonly configDigest?: Digest;
  readonly names: readonly string[];
}
