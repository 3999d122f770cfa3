import type {
  BuildHost,
  ByteStream,
  Cancellable,
  Descriptor,
  Digest,
  ImageConfig,
  Kind,
  Manifest,
  Platform,
  RamekinError,
  RegistryAccess,
} from "@ramekin/core";
import type { AccountVerbs } from "./account-api.ts";
import type { Container, ContainerInfo, HostFiles, StatsOptions, StatsRow } from "./container-api.ts";
import type { ContainerOptions } from "./container-options.ts";
import type { EngineEvent, EventOptions } from "./event.ts";
import type { ImageVerbs } from "./image-api.ts";
import type { ManifestVerbs } from "./manifest-api.ts";
import type { Secrets } from "./secret-api.ts";
import type { StoreVerbs } from "./store-api.ts";
import type { Volumes } from "./volume-api.ts";
import type { Work } from "./work.ts";

export type * from "./account-api.ts";
export type * from "./container-api.ts";
export type * from "./container-options.ts";
export type * from "./event.ts";
export type * from "./image-api.ts";
export type * from "./manifest-api.ts";
export type * from "./mount-options.ts";
export type * from "./namespace-options.ts";
export type * from "./process-options.ts";
export type * from "./resource-options.ts";
export type * from "./secret-api.ts";
export type * from "./security-options.ts";
export type * from "./store-api.ts";
export type * from "./supervision-options.ts";
export type * from "./volume-api.ts";
export type { Work } from "./work.ts";

/**
 * What a program holds: one engine over one store. There is no daemon; any number of engines, in any processes, may share
 * a store, and each sees at once what the others do.
 *
 * Every method accepts an AbortSignal: it does not begin once that has fired, and rejects with CANCELLED when it fires later, as
 * soon as what it does can be given up; what was begun and cannot is done to its end. Errors are `RamekinError`s; branch on `code`. Containers and images are named as people name them: a name, an id or a unique
 * prefix of an id; an ambiguous one rejects with INVALID_ARGUMENT, an unknown one with NOT_FOUND.
 */
export interface Engine extends BuildHost, AccountVerbs, ImageVerbs, ManifestVerbs, StoreVerbs, AsyncDisposable {
  /** Durable state: images, snapshots, containers. */
  readonly root: string;
  /** State that a reboot may take away. */
  readonly runRoot: string;
  readonly hostFiles: HostFiles;
  readonly volumes: Volumes;
  readonly secrets: Secrets;

  /** Fetches what is missing, verifies every byte, records the name. Does not unpack, unless asked: `create` does, or `unpack`. */
  pull(reference: string, options?: PullOptions): Work<ImageInfo, PullProgress>;
  /** OCI layout or archive, docker-archive; a path (directory or tar) or a stream. The names found in it are recorded. */
  load(source: string | ByteStream, options?: LoadOptions): Work<readonly ImageInfo[], PullProgress>;
  /** Makes snapshots of all layers; resolves with the chain id of the top one. */
  unpack(image: string, options?: Cancellable & { readonly platform?: Platform }): Promise<string>;
  images(options?: Cancellable): Promise<readonly ImageInfo[]>;
  image(name: string, options?: Cancellable & { readonly platform?: Platform }): Promise<ImageDetails>;
  tag(source: string, target: string, options?: Cancellable): Promise<void>;
  /** Removes a name; with the last name, the image and whatever nothing else needs. `force`: though a stopped container uses it. */
  removeImage(name: string, options?: RemoveImageOptions): Promise<readonly RemovedImage[]>;

  /** Prepares the root file system and the bundle; nothing runs yet. Pulls what is missing, as `pull` says. */
  create(options: ContainerOptions): Promise<Container>;
  /** `create` and `start`. What cannot be started is removed again. */
  run(options: ContainerOptions): Promise<Container>;
  /** What `create` would write into the bundle; makes nothing. NOT_FOUND when the image is not here: it is not pulled. */
  explain(options: ContainerOptions): Promise<Explanation>;
  container(nameOrId: string, options?: Cancellable): Promise<Container>;
  /**
   * After a restart of the machine: starts the containers whose restart policy is `always`, and those with `unless-stopped` that
   * nobody had stopped. One that cannot start does not hold up the others.
   */
  startAll(options?: Cancellable): Promise<readonly StartedAgain[]>;
  /** Newest first; running ones only, unless `all`. `size` takes a while: every file is looked at. */
  containers(options?: Cancellable & { readonly all?: boolean; readonly size?: boolean }): Promise<readonly ContainerInfo[]>;

  /** A table at each interval, newest container first; `Container.stats` is one reading of one. NOT_FOUND for an unknown name. */
  stats(options?: StatsOptions): AsyncIterable<readonly StatsRow[]>;

  /** Puts right what crashes have left behind: containers whose supervisor died, half-made ones, dead reservations, unreferenced blobs and snapshots. */
  prune(options?: Cancellable): Promise<PruneReport>;
  /** What happens in this store, whichever process does it; from the call on, unless `since` or `until` say otherwise. */
  events(options?: EventOptions): AsyncIterable<EngineEvent>;
  /** What builds remember: results of steps, contents of cache mounts; what was of use last, first. */
  buildCache(options?: Cancellable): Promise<readonly BuildCacheEntry[]>;
  /** Forgets what builds remember, all or as much as the options say, and deletes what nothing else needs. */
  pruneBuilds(options?: PruneBuildsOptions): Promise<PrunedBuilds>;
  /** Probes every driver. */
  doctor(options?: Cancellable): Promise<readonly DriverReport[]>;
  info(options?: Cancellable): Promise<EngineInfo>;
}

export interface StartedAgain {
  readonly id: string;
  readonly name: string;
  /** Why it could not be started. */
  readonly error?: RamekinError;
}

export interface Explanation {
  readonly image: { readonly name: string; readonly id: Digest };
  readonly drivers: Readonly<Record<"storage" | "isolation" | "network" | "log", string>>;
  /** The OCI runtime specification, with zeros for the id. */
  readonly spec: object;
  /** The same if the image's configuration said nothing: what is different comes from the image. */
  readonly withoutImage: object;
}

export interface PullOptions extends Cancellable {
  readonly platform?: Platform;
  /** Every platform of an index, and what else it lists. */
  readonly allPlatforms?: boolean;
  readonly access?: RegistryAccess | undefined;
  /** Makes the snapshots while the layers come, in one pass; an image whose layers are not what its config says is refused. */
  readonly unpack?: boolean;
  /** The storage driver that it is unpacked for, by name; the kernel chooses when absent. */
  readonly storage?: string;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface LoadOptions extends Cancellable {
  /** Only this one of an index; UNSUPPORTED when an image has no such platform. */
  readonly platform?: Platform;
  readonly onProgress?: (progress: PullProgress) => void;
}

/**
 * One blob on its way. `done` with `current` equal to `total`; `exists` when nothing had to move. Where layers are unpacked,
 * `unpacking` and `unpacked` follow.
 */
export interface PullProgress {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly status: "exists" | "waiting" | "downloading" | "done" | "unpacking" | "unpacked";
  /** Bytes. */
  readonly current: number;
  readonly total: number;
}

/** One line of `images`. */
export interface ImageInfo {
  /** Of the manifest or index that the name stands for. */
  readonly id: Digest;
  /** Canonical: `docker.io/library/debian:latest`; none when untagged. */
  readonly name?: string;
  readonly descriptor: Descriptor;
  /** From the image configuration for this machine's platform, when that is here. */
  readonly createdAt?: Date;
  /** Compressed bytes of all that is here of it. */
  readonly size: number;
  /** Already here before this call: nothing was downloaded. Only `pull` sets it. */
  readonly upToDate?: boolean;
}

export interface ImageDetails extends ImageInfo {
  readonly names: readonly string[];
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
}

export interface RemoveImageOptions extends Cancellable {
  readonly force?: boolean;
  /** Only what these platforms of it, and nobody else, need; names stay. */
  readonly platforms?: readonly Platform[];
  /** What nothing needs any more stays until the next `prune`. */
  readonly noPrune?: boolean;
}

export interface RemovedImage {
  readonly untagged?: string;
  readonly deleted?: Digest;
}

export interface BuildCacheEntry {
  /** Hexadecimal. */
  readonly id: string;
  /** BuildKit's words: what a step made, and what a `RUN --mount=type=cache` keeps. */
  readonly type: "regular" | "exec.cachemount";
  /** Bytes: of a step, those of its compressed layer. */
  readonly size: number;
  readonly createdAt: Date;
  readonly usedAt: Date;
}

/** What all given ones agree to forget. Sizes are bytes. */
export interface PruneBuildsOptions extends Cancellable {
  /** Last used before. */
  readonly until?: Date;
  readonly types?: readonly BuildCacheEntry["type"][];
  /** Until no more than this is left. */
  readonly maxUsed?: number;
  /** This much always stays. */
  readonly reserved?: number;
  /** Until the file system has this much room. */
  readonly minFree?: number;
}

export interface PrunedBuilds {
  readonly steps: number;
  readonly entries: readonly BuildCacheEntry[];
  /** Bytes. */
  readonly reclaimed: number;
}

export interface PruneReport {
  readonly containers: readonly string[];
  readonly snapshots: readonly string[];
  readonly blobs: readonly Digest[];
  /** Bytes of blobs and snapshots. */
  readonly reclaimed: number;
}

export interface DriverReport {
  readonly kind: Kind;
  readonly name: string;
  readonly package: string;
  readonly ok: boolean;
  /** The one that is used when nobody says otherwise. */
  readonly selected: boolean;
  readonly rank?: number;
  readonly reason?: string;
  readonly hint?: string;
}

export interface EngineInfo {
  readonly root: string;
  readonly runRoot: string;
  readonly rootless: boolean;
  readonly containers: { readonly running: number; readonly paused: number; readonly stopped: number };
  readonly images: number;
  readonly drivers: Readonly<Record<string, string>>;
  readonly cgroup: "v1" | "v2" | "hybrid" | "none";
  readonly kernel: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
}

/** Where an engine keeps its things and which drivers it prefers; the CLI's global flags. */
export interface EngineOptions {
  readonly root?: string;
  readonly runRoot?: string;
  /** By kind, the name to use: flag, then RAMEKIN_*, then config.toml, then the best probe and rank. */
  readonly drivers?: Partial<Readonly<Record<Kind, string>>>;
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}
