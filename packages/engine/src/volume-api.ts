import type { ByteStream, Cancellable } from "@ramekin/core";
import type { VolumeDraft } from "./mount-options.ts";

/** Directories that outlive containers; a part of `Engine`. */
export interface Volumes {
  /** One of that name that is there already is left as it is. Without a name, an anonymous one. */
  create(options?: Cancellable & VolumeDraft & { readonly name?: string }): Promise<Volume>;
  /** By name. */
  list(options?: Cancellable): Promise<readonly Volume[]>;
  inspect(name: string, options?: Cancellable): Promise<Volume>;
  /** FAILED_PRECONDITION while a container has it, running or not. `force`: one that is not there is no error. */
  remove(name: string, options?: Cancellable & { readonly force?: boolean }): Promise<void>;
  /** Removes those that no container has: anonymous ones, or with `all` any. */
  prune(options?: PruneVolumesOptions): Promise<PrunedVolumes>;
  /** Its files as a tar. */
  export(name: string, options?: Cancellable): ByteStream;
  /** A tar's files into it, over what is there. */
  import(name: string, tar: ByteStream, options?: Cancellable): Promise<void>;
}

export interface Volume {
  readonly name: string;
  readonly driver: string;
  readonly createdAt: Date;
  readonly labels: Readonly<Record<string, string>>;
  /** What the driver was given. */
  readonly options: Readonly<Record<string, string>>;
  /** Where its files are, on the host. */
  readonly mountpoint: string;
  readonly anonymous: boolean;
  /** Ids of the containers that have it. */
  readonly containers: readonly string[];
}

export interface PruneVolumesOptions extends Cancellable {
  readonly all?: boolean;
  /** Asked of each volume that would go. */
  readonly keep?: (volume: Volume) => boolean;
}

export interface PrunedVolumes {
  readonly volumes: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}
