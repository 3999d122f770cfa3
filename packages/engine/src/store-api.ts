import type { Cancellable, Digest } from "@ramekin/core";
import type { BuildCacheEntry, ContainerInfo, Volume } from "./api.ts";
import type { Work } from "./work.ts";

/** The store's upkeep; a part of `Engine`. */
export interface StoreVerbs {
  /** What takes how much, everything counted once. */
  diskUsage(options?: Cancellable): Promise<DiskUsage>;
  /** Removes containers that do not run. */
  pruneContainers(options?: PruneContainersOptions): Promise<PrunedContainers>;
  /** Removes images that no container uses, least recently used first, as far as the policy demands it. */
  gc(policy: GcPolicy, options?: Cancellable): Promise<GcReport>;
  /** Verifies every digest and every reference of the store; with `repair`, puts right what can be. */
  check(options?: CheckOptions): Work<CheckReport, CheckProgress>;
}

export interface DiskUsage {
  readonly images: readonly ImageUsage[];
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  /** Bytes of all images: blobs and snapshots, each once. */
  readonly imagesSize: number;
  /** Of these, what would come free if all images went that no container uses. */
  readonly imagesReclaimable: number;
  /** Downloads, loads and unpacking that stopped half-way or are under way. */
  readonly unfinished: Portion;
  /** What nothing refers to: the next `prune` takes it. */
  readonly garbage: { readonly blobs: number; readonly snapshots: number; readonly size: number };
  /** What builds remember; `size` counts what no image has besides. */
  readonly buildCache: { readonly entries: readonly BuildCacheEntry[]; readonly size: number };
  /** Snapshots of neither images nor containers, such as those of mounted images. */
  readonly other: Portion;
}

/** What is here of an image, compressed and unpacked. */
export interface ImageUsage {
  readonly id: Digest;
  /** Canonical; none for an image that only containers or nobody knows any more. */
  readonly names: readonly string[];
  readonly createdAt?: Date;
  readonly lastUsedAt?: Date;
  readonly size: number;
  /** Bytes that other images have, too. */
  readonly shared: number;
  readonly unique: number;
  /** Ids. */
  readonly containers: readonly string[];
}

export interface ContainerUsage extends ContainerInfo {
  /** What it has written, its log included. */
  readonly size: number;
}

export interface VolumeUsage extends Volume {
  /** Bytes of its files. */
  readonly size: number;
}

export interface Portion {
  readonly count: number;
  readonly size: number;
}

export interface PruneContainersOptions extends Cancellable {
  /** Only what was made before. */
  readonly until?: Date;
  /** Asked of each container that would go. */
  readonly keep?: (container: ContainerInfo) => boolean;
}

export interface PrunedContainers {
  /** Ids. */
  readonly containers: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/**
 * How much of the disk images may take: bytes of blobs and snapshots, those of images in use included. Without `maxUsed`,
 * `minFree` and `maxAge` all that is unused goes, save what `reserved` and `keepLast` keep.
 */
export interface GcPolicy {
  readonly maxUsed?: number;
  /** Bytes that should be free on the store's file system. */
  readonly minFree?: number;
  /** Bytes that images may always take, whatever the limits say. */
  readonly reserved?: number;
  /** Milliseconds since the last use. */
  readonly maxAge?: number;
  /** So many of the unused images, the most recently used ones, stay. */
  readonly keepLast?: number;
}

export interface GcReport {
  readonly images: readonly { readonly id: Digest; readonly names: readonly string[] }[];
  readonly blobs: readonly Digest[];
  readonly snapshots: readonly string[];
  /** Bytes of blobs and snapshots. */
  readonly reclaimed: number;
}

export interface CheckOptions extends Cancellable {
  readonly repair?: boolean;
  /** Of a repair: no registry is asked, what is damaged is dropped. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: CheckProgress) => void;
}

/** Bytes that were read, of those to read. */
export interface CheckProgress {
  readonly current: number;
  readonly total: number;
}

export interface CheckReport {
  readonly problems: readonly StoreProblem[];
  /** How many of each were looked at, and how many bytes were hashed. */
  readonly checked: {
    readonly blobs: number;
    readonly bytes: number;
    readonly images: number;
    readonly containers: number;
    readonly snapshots: number;
  };
  /** No problems: work under way, and what crashes leave for `prune`. */
  readonly leftovers: { readonly leases: number; readonly unfinished: number; readonly blobs: number; readonly containers: number };
}

/**
 * `index`: a file of the image store says nothing that makes sense. `corrupt`: a blob's bytes are not what its digest says.
 * `missing`: an image lacks a blob. `container`, `name`, `snapshot`: a file or a reference that is wrong.
 */
export type ProblemKind = "index" | "corrupt" | "missing" | "container" | "name" | "snapshot";

export interface StoreProblem {
  readonly kind: ProblemKind;
  /** A digest, a container's id or name, a snapshot's key, a path. */
  readonly id: string;
  readonly message: string;
  /** What suffers from it: names or ids of images, names of containers. */
  readonly images: readonly string[];
  readonly containers: readonly string[];
  /** Absent: it remains. */
  readonly repaired?: string;
  /** What could be done about one that remains. */
  readonly hint?: string;
}
