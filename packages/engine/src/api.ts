import type {
  Attachment,
  ByteStream,
  Cancellable,
  Change,
  ContainerStats,
  Descriptor,
  Digest,
  ExitStatus,
  ImageConfig,
  Kind,
  LogReadOptions,
  LogRecord,
  Manifest,
  Platform,
  Resources,
  Signal,
  WindowSize,
} from "@ramekin/core";
import type { AccountVerbs } from "./account-api.ts";
import type { ImageVerbs } from "./image-api.ts";
import type { ManifestVerbs } from "./manifest-api.ts";
import type { StoreVerbs } from "./store-api.ts";

export type * from "./account-api.ts";
export type * from "./image-api.ts";
export type * from "./manifest-api.ts";
export type * from "./store-api.ts";

/**
 * What a program holds: one engine over one store. There is no daemon; any number of engines, in any processes, may share
 * a store, and each sees at once what the others do.
 *
 * Every method that may take long accepts an AbortSignal and rejects with CANCELLED once it fires. Errors are
 * `RamekinError`s; branch on `code`. Containers and images are named as people name them: a name, an id or a unique
 * prefix of an id; an ambiguous one rejects with INVALID_ARGUMENT, an unknown one with NOT_FOUND.
 */
export interface Engine extends AccountVerbs, ImageVerbs, ManifestVerbs, StoreVerbs, AsyncDisposable {
  /** Durable state: images, snapshots, containers. */
  readonly root: string;
  /** State that a reboot may take away. */
  readonly runRoot: string;

  /** Fetches what is missing, verifies every byte, records the name. Does not unpack, unless asked: `create` does, or `unpack`. */
  pull(reference: string, options?: PullOptions): Promise<ImageInfo>;
  /** OCI layout or archive, docker-archive; a path (directory or tar) or a stream. The names found in it are recorded. */
  load(source: string | ByteStream, options?: LoadOptions): Promise<readonly ImageInfo[]>;
  /** Makes snapshots of all layers; resolves with the chain id of the top one. */
  unpack(image: string, options?: Cancellable & { readonly platform?: Platform }): Promise<string>;
  images(options?: Cancellable): Promise<readonly ImageInfo[]>;
  image(name: string, options?: Cancellable & { readonly platform?: Platform }): Promise<ImageDetails>;
  tag(source: string, target: string): Promise<void>;
  /** Removes a name; with the last name, the image and whatever nothing else needs. `force`: though a stopped container uses it. */
  removeImage(name: string, options?: RemoveImageOptions): Promise<readonly RemovedImage[]>;

  /** Prepares the root file system and the bundle; nothing runs yet. Pulls what is missing, as `pull` says. */
  create(options: ContainerOptions): Promise<Container>;
  /** `create` and `start`. */
  run(options: ContainerOptions): Promise<Container>;
  container(nameOrId: string): Promise<Container>;
  /** Newest first; running ones only, unless `all`. */
  containers(options?: { readonly all?: boolean }): Promise<readonly ContainerInfo[]>;

  /** Puts right what crashes have left behind: containers whose supervisor died, half-made ones, dead reservations, unreferenced blobs and snapshots. */
  prune(options?: Cancellable): Promise<PruneReport>;
  /** What this engine, in this process, sees happen, from the call on. */
  events(options?: Cancellable): AsyncIterable<EngineEvent>;
  /** Probes every driver. */
  doctor(): Promise<readonly DriverReport[]>;
  info(): Promise<EngineInfo>;
}

export interface PullOptions extends Cancellable {
  readonly platform?: Platform;
  /** Every platform of an index, and what else it lists. */
  readonly allPlatforms?: boolean;
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

export interface RemoveImageOptions {
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

export interface BindMount {
  readonly type: "bind";
  /** Absolute, on the host; NOT_FOUND when absent, unless `createSource`. */
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  readonly createSource?: boolean;
  readonly propagation?: "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
  /**
   * What becomes of mounts below `source`. `enabled`, the default: they come along, read-only as far as the kernel can;
   * `disabled`: they do not; `writable`: they stay as they are though `readOnly`; `readonly`: they must become read-only.
   */
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
}

export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  /** Bytes. */
  readonly size?: number;
  readonly mode?: number;
  /** As in mount(8); after the defaults `nosuid,nodev,noexec`. */
  readonly options?: readonly string[];
}

/** What `docker create` takes; absent fields come from the image, then from the defaults. */
export interface ContainerOptions extends Cancellable {
  readonly image: string;
  /** Replaces the image's Cmd. */
  readonly command?: readonly string[];
  /** Replaces the image's Entrypoint (and then its Cmd is ignored); `[]` clears it. */
  readonly entrypoint?: readonly string[];
  /** Unique; chosen when absent. */
  readonly name?: string;
  readonly platform?: Platform;
  readonly pull?: "always" | "missing" | "never";
  readonly onProgress?: (progress: PullProgress) => void;
  /** Later entries win over the image's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  /** `name|uid[:group|gid]`. */
  readonly user?: string;
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly mounts?: readonly (BindMount | TmpfsMount)[];
  /** A network driver's name; `none` when absent. */
  readonly network?: string;
  /** A pty. */
  readonly tty?: boolean;
  /** `closed` when absent. `once`: end of file when the first attachment ends; `open`: waits for the next. */
  readonly stdin?: "closed" | "once" | "open";
  /** A small init as pid 1, which reaps and passes signals on. */
  readonly init?: boolean;
  readonly readOnly?: boolean;
  readonly resources?: Resources;
  /** Removed by the supervisor when it has ended. */
  readonly autoRemove?: boolean;
  readonly stopSignal?: Signal;
  /** Seconds between the stop signal and SIGKILL; 10 when absent. */
  readonly stopTimeout?: number;
  readonly log?: { readonly driver: string; readonly options?: Readonly<Record<string, string>> };
  /** Drivers, by name; the kernel chooses when absent. */
  readonly storage?: string;
  readonly isolation?: string;
  readonly windowSize?: WindowSize;
}

export type ContainerStatus = "created" | "running" | "paused" | "exited" | "removing" | "dead";

/** One line of `ps`. */
export interface ContainerInfo {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: Digest;
  /** The whole argv of the first process. */
  readonly command: readonly string[];
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly status: ContainerStatus;
  readonly pid?: number;
  readonly exit?: ExitStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
}

export interface ContainerDetails extends ContainerInfo {
  /** What was asked for: the file `config.json`. */
  readonly config: ContainerConfig;
  readonly logPath?: string;
  readonly bundle: string;
}

/** `<root>/containers/<id>/config.json`: written at create, and with another name by `rename`, under the container's lock. Unknown fields are kept. */
export interface ContainerConfig {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly image: { readonly name: string; readonly descriptor: Descriptor; readonly manifest: Digest; readonly chainId: string };
  readonly options: Omit<ContainerOptions, "signal" | "onProgress">;
  readonly storage: { readonly driver: string; readonly package: string; readonly key: string };
  readonly isolation: { readonly driver: string; readonly package: string };
  readonly network: { readonly driver: string; readonly package: string };
  readonly log: { readonly driver: string; readonly package: string; readonly options: Readonly<Record<string, string>> };
  /** `user` as asked for or as the image has it, by name or number; root when absent. */
  readonly process: { readonly args: readonly string[]; readonly tty: boolean; readonly user?: string };
  readonly stopSignal: Signal;
  readonly stopTimeout: number;
}

/** A handle: it holds no state; every call reads what is true now. Disposal of one that `run` or `create` returned removes the container by force; of others, nothing. */
export interface Container extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  inspect(): Promise<ContainerDetails>;
  /** `attach: true` attaches before the first instruction runs, so that no byte is missed. COMMAND_NOT_FOUND and COMMAND_NOT_EXECUTABLE when the program cannot run. */
  start(options?: Cancellable & { readonly attach?: boolean; readonly windowSize?: WindowSize }): Promise<void>;
  /** As attached by `start`, or a new one. Its `stdout` and `stderr` are separate byte streams. */
  attach(options?: Cancellable): Promise<Attachment>;
  readonly stdout: ByteStream;
  readonly stderr: ByteStream;
  /** The exit status as a value; a container that ended long ago resolves at once. */
  wait(options?: Cancellable): Promise<ExitStatus>;
  /** `stopSignal`, then SIGKILL after `timeout` seconds; the container's own when absent, no end to the patience when negative. */
  stop(options?: Cancellable & { readonly timeout?: number; readonly stopSignal?: Signal }): Promise<ExitStatus>;
  /** `stop` when it runs, then `start`. UNSUPPORTED when it runs and `autoRemove` would take it away in between. */
  restart(options?: Cancellable & { readonly timeout?: number; readonly stopSignal?: Signal }): Promise<void>;
  /** ALREADY_EXISTS when another container has the name. The handle keeps the name that it was opened with. UNSUPPORTED with `autoRemove`. */
  rename(name: string): Promise<void>;
  kill(signal?: Signal): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  resize(size: WindowSize): Promise<void>;
  exec(command: readonly string[], options?: ExecOptions): Promise<Exec>;
  logs(options?: LogReadOptions): AsyncIterable<LogRecord>;
  stats(): Promise<ContainerStats>;
  /** What its files differ in from the image's, in the order of paths; running or not. What is only there to be mounted on does not count. */
  changes(options?: Cancellable): AsyncIterable<Change>;
  /** Its root file system as a tar, without what is mounted; running or not. */
  export(options?: Cancellable): ByteStream;
  /** An image of the container's own, with what it has changed as one more layer; a running one is paused meanwhile. */
  commit(options?: CommitOptions): Promise<ImageInfo>;
  /** As `ps` on the host shows them, which gets these options, `-ef` when absent; a column PID has to be among them. */
  top(options?: readonly string[]): Promise<ContainerProcesses>;
  /** FAILED_PRECONDITION while it runs, unless `force`. Resolves only when nothing is left of it. */
  remove(options?: { readonly force?: boolean }): Promise<void>;
}

export interface CommitOptions extends Cancellable {
  readonly name?: string;
  readonly author?: string;
  /** The comment in the history. */
  readonly message?: string;
  /** Dockerfile instructions, such as `CMD ["sh"]`; they win over what the container runs with. */
  readonly changes?: readonly string[];
  /** As absent: true. Without, the files may be of different moments. */
  readonly pause?: boolean;
}

/** A table: a cell for each title. */
export interface ContainerProcesses {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

export interface ExecOptions extends Cancellable {
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly user?: string;
  readonly tty?: boolean;
  readonly stdin?: "closed" | "once" | "open";
  readonly privileged?: boolean;
  /** Nobody will attach; its output is dropped. */
  readonly detach?: boolean;
  readonly windowSize?: WindowSize;
}

/** One more process in a container, started, with its stdio attached unless `detach`. Disposal detaches. */
export interface Exec extends AsyncDisposable {
  readonly id: string;
  readonly attachment: Attachment | undefined;
  readonly stdout: ByteStream;
  readonly stderr: ByteStream;
  kill(signal: Signal): Promise<void>;
  resize(size: WindowSize): Promise<void>;
  wait(options?: Cancellable): Promise<ExitStatus>;
}

export interface EngineEvent {
  readonly time: Date;
  readonly type: "image" | "container";
  readonly action:
    | "pull"
    | "push"
    | "load"
    | "save"
    | "import"
    | "mount"
    | "unmount"
    | "tag"
    | "untag"
    | "delete"
    | "create"
    | "start"
    | "die"
    | "kill"
    | "stop"
    | "restart"
    | "rename"
    | "top"
    | "exec"
    | "commit"
    | "destroy"
    | "pause"
    | "unpause";
  /** Of the image or container. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
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
