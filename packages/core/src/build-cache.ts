import type { BuildLayer, Stack } from "./build.ts";
import type { LayerCompression } from "./build-output.ts";
import type { Digest } from "./oci/digest.ts";

/** A step that a build has done or found done: what somebody else may find done because of it. */
export interface MadeStep {
  readonly key: Digest;
  /** Of what it was done on: the step before, or an image. */
  readonly before: Digest;
  readonly stack: Stack;
  /** Absent: it changed nothing. */
  readonly layer?: BuildLayer;
  readonly createdAt: Date;
  /** Cache mounts that it uses, by id. */
  readonly mounts?: readonly string[];
}

/** Where steps that others have done may be known from. One that is not there is told of, and nothing else. */
export type CacheSource =
  /** An image with an inline cache, or a cache manifest. */
  | { readonly type: "registry"; readonly reference: string; readonly insecure?: boolean }
  /** A directory that is an OCI layout. */
  | { readonly type: "local"; readonly directory: string; readonly tag?: string; readonly digest?: Digest };

export type CacheTarget = CacheForm &
  (
    | { readonly type: "registry"; readonly reference: string; readonly insecure?: boolean }
    | { readonly type: "local"; readonly directory: string; readonly tag?: string }
  );

export interface CacheForm {
  /** `min`: the layers of the result; `max`: those of every step. */
  readonly mode: "min" | "max";
  /** With the contents of cache mounts, which BuildKit leaves at home. */
  readonly mounts?: boolean;
  /** An image manifest, for registries that know nothing else; else an index. */
  readonly imageManifest?: boolean;
  readonly mediaTypes?: "oci" | "docker";
  readonly compression?: LayerCompression;
  /** A failure is told, and does not fail the build. */
  readonly ignoreError?: boolean;
}
