import type {
  Attachment,
  ByteStream,
  Cancellable,
  Change,
  ContainerStats,
  Descriptor,
  Digest,
  ExitStatus,
  Health,
  HealthCheck,
  HealthResult,
  HealthStatus,
  IdMapping,
  LogReadOptions,
  LogRecord,
  Signal,
  WindowSize,
} from "@ramekin/core";
import type { ImageInfo } from "./api.ts";
import type { ContainerOptions } from "./container-options.ts";
import type { MountPoint, SecretUse } from "./mount-options.ts";

/** `restarting`: between two runs, as its restart policy has it. */
export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "exited" | "removing" | "dead";

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
  /** Of the last run, when none is on. */
  readonly exit?: ExitStatus;
  /** Absent without a health check. */
  readonly health?: HealthStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  /** The driver. */
  readonly isolation: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `80/tcp`: what it was made with; the image may have more. */
  readonly expose?: readonly string[];
  readonly mounts: readonly MountPoint[];
  /** Bytes: what it has written, and that with all of its image. Only where it was asked for. */
  readonly sizes?: ContainerSize;
}

export interface ContainerDetails extends ContainerInfo {
  /** What was asked for: the file `config.json`. */
  readonly config: ContainerConfig;
  /** `NAME=value`: what was asked for, then what the image adds. */
  readonly env: readonly string[];
  /** Where the image declares volumes, and where some without a name were asked for. */
  readonly volumes: readonly string[];
  readonly logPath?: string;
  /** By its restart policy, since somebody started it. */
  readonly restartCount: number;
  /** Of its log, since somebody started it: there was no room for them, and the container was not to wait. */
  readonly droppedRecords?: number;
  /** What the last checks said. */
  readonly healthLog?: Health;
  readonly bundle: string;
}

/** `<root>/containers/<id>/config.json`: written at create, and with another name by `rename`, under the container's lock. Unknown fields are kept. */
export interface ContainerConfig {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly image: { readonly name: string; readonly descriptor: Descriptor; readonly manifest: Digest; readonly chainId: string };
  /** What is mounted, as it was settled when the container was made. */
  readonly mounts?: readonly MountPoint[];
  /** Of the store, by id: a name may come to stand for another. */
  readonly secrets?: readonly { readonly id: string; readonly name: string; readonly use: SecretUse }[];
  readonly options: Omit<ContainerOptions, "signal" | "onProgress">;
  readonly storage: { readonly driver: string; readonly package: string; readonly key: string };
  readonly isolation: { readonly driver: string; readonly package: string };
  readonly network: { readonly driver: string; readonly package: string };
  readonly log: { readonly driver: string; readonly package: string; readonly options: Readonly<Record<string, string>> };
  /** Which ids of the host its own are, with a user namespace of its own. */
  readonly idMap?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
  /** `user` as asked for or as the image has it, by name or number; root when absent. */
  readonly process: { readonly args: readonly string[]; readonly tty: boolean; readonly user?: string };
  readonly stopSignal: Signal;
  readonly stopTimeout: number;
  /** From the image and what was asked for. */
  readonly health?: HealthCheck;
}

/** A handle: it holds no state; every call reads what is true now. Disposal of one that `run` or `create` returned removes the container by force; of others, nothing. */
export interface Container extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  inspect(options?: Cancellable): Promise<ContainerDetails>;
  /**
   * `attach: true` attaches before the first instruction runs, so that no byte is missed. `descriptors` of this process become the
   * program's 3, 4 and so on. COMMAND_NOT_FOUND and COMMAND_NOT_EXECUTABLE when the program cannot run.
   */
  start(
    options?: Cancellable & { readonly attach?: boolean; readonly windowSize?: WindowSize; readonly descriptors?: readonly number[] },
  ): Promise<void>;
  /** As attached by `start`, or a new one. Its `stdout` and `stderr` are separate byte streams. */
  attach(options?: Cancellable): Promise<Attachment>;
  readonly stdout: ByteStream;
  readonly stderr: ByteStream;
  /** The exit status as a value; a container that ended long ago resolves at once. */
  wait(options?: Cancellable): Promise<ExitStatus>;
  /** `stopSignal`, then SIGKILL after `timeout` seconds; the container's own when absent, no end to the patience when negative. */
  stop(options?: Cancellable & { readonly timeout?: number; readonly stopSignal?: Signal }): Promise<ExitStatus>;
  /** `stop` when it runs, then `start`; with `autoRemove` it stays for it, where the isolation driver can do that (else UNSUPPORTED). */
  restart(options?: Cancellable & { readonly timeout?: number; readonly stopSignal?: Signal }): Promise<void>;
  /** ALREADY_EXISTS when another container has the name. The handle keeps the name that it was opened with. */
  rename(name: string, options?: Cancellable): Promise<void>;
  /** Its restart policy ends with it, as in Docker: it stays ended until it is started again. */
  kill(signal?: Signal, options?: Cancellable): Promise<void>;
  /** Checks its health now. FAILED_PRECONDITION without a health check. */
  checkHealth(options?: Cancellable): Promise<{ readonly status: HealthStatus; readonly result: HealthResult }>;
  /** TIMEOUT when it takes too long, FAILED_PRECONDITION when the container ends first; the container is left as it is. */
  waitUntil(condition: Readiness, options?: Cancellable & { readonly timeoutMs?: number }): Promise<void>;
  /** Limits and the restart policy, of a container that runs or not; what is not named stays. */
  update(changes: UpdateOptions, options?: Cancellable): Promise<void>;
  pause(options?: Cancellable): Promise<void>;
  unpause(options?: Cancellable): Promise<void>;
  resize(size: WindowSize, options?: Cancellable): Promise<void>;
  exec(command: readonly string[], options?: ExecOptions): Promise<Exec>;
  logs(options?: LogReadOptions): AsyncIterable<LogRecord>;
  /** The same, many at a time: for logs of millions of lines. */
  logBatches(options?: LogReadOptions): AsyncIterable<readonly LogRecord[]>;
  stats(options?: Cancellable): Promise<ContainerStats>;
  /** What its files differ in from the image's, in the order of paths; running or not. What is only there to be mounted on does not count. */
  changes(options?: Cancellable): AsyncIterable<Change>;
  /** What its snapshots take on the disk; running or not. */
  size(options?: Cancellable): Promise<ContainerSize>;
  /** What is at a path of it; undefined when nothing is. As for `copyFrom` and `copyTo`, links lead nowhere out of the container. */
  look(path: string, options?: LookOptions): Promise<FileInContainer | undefined>;
  /** A file, or a directory with all that is in it, as a tar, with what is mounted there; running or not. */
  copyFrom(path: string, options?: CopyFromOptions): ByteStream;
  /** A tar's files into the directory `path`, over what is there; running or not. A directory never takes the place of something else, nor gives up its own. */
  copyTo(path: string, tar: ByteStream, options?: CopyToOptions): Promise<void>;
  /** Its root file system as a tar, without what is mounted; running or not. */
  export(options?: Cancellable): ByteStream;
  /** An image of the container's own, with what it has changed as one more layer; a running one is paused meanwhile. */
  commit(options?: CommitOptions): Promise<ImageInfo>;
  /**
   * A new container, created and not started, with the files that this one has now; one that runs stands still meanwhile. Its
   * memory is not forked, and it is not removed when it ends, whatever became of this one's.
   */
  fork(options?: ForkOptions): Promise<{ readonly container: Container; readonly cost: ForkCost }>;
  /** Its files are the image's again. FAILED_PRECONDITION while it runs, unless `force`: then it is killed first. */
  reset(options?: Cancellable & { readonly force?: boolean }): Promise<void>;
  /** As `ps` on the host shows them, which gets these options, `-ef` when absent; a column PID has to be among them. */
  top(options?: readonly string[], given?: Cancellable): Promise<ContainerProcesses>;
  /** FAILED_PRECONDITION while it runs, unless `force`. Resolves only when nothing is left of it. */
  remove(options?: RemoveOptions): Promise<void>;
}

export interface UpdateOptions extends Pick<ContainerOptions, "resources" | "cpus" | "blockIO" | "restartPolicy"> {}

/** Bytes. */
export interface ContainerSize {
  /** Of its own: what it has written, or where a driver copies, all of it. */
  readonly written: number;
  /** With its image. */
  readonly total: number;
}

/** What a container can be waited for to be. */
export type Readiness =
  /** By its health check. */
  | { readonly is: "healthy" }
  /** Something in its network namespace listens on that TCP port. */
  | { readonly is: "listening"; readonly port: number }
  /** It has written such a line, in this run or an earlier one. */
  | { readonly is: "logged"; readonly pattern: RegExp }
  | { readonly is: "ended" };

export interface FileInContainer {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Bytes. */
  readonly size: number;
  readonly mode: number;
  /** Of a link. */
  readonly target?: string;
}

export interface LookOptions extends Cancellable {
  /** A link in the last place, too. */
  readonly follow?: boolean;
}

export interface CopyFromOptions extends LookOptions {
  /** What it is called in the archive; absent: only what is in it comes. */
  readonly name?: string;
}

export interface CopyToOptions extends Cancellable {
  /** All of it is the container's user's; absent: as the archive says. */
  readonly chown?: boolean;
}

/** This machine's files, as the caller may see them, for copies to and from containers. All paths are absolute. */
export interface HostFiles {
  look(path: string, options?: LookOptions): Promise<FileInContainer | undefined>;
  copyFrom(path: string, options?: CopyFromOptions): ByteStream;
  /** What comes belongs to the caller, unless its owners are kept. */
  copyTo(path: string, tar: ByteStream, options?: Cancellable & { readonly keepOwners?: boolean }): Promise<void>;
}

export interface RemoveOptions extends Cancellable {
  readonly force?: boolean;
  /** Its anonymous volumes go too, but for those that another container has. */
  readonly volumes?: boolean;
}

export interface ForkOptions extends Cancellable {
  /** Chosen when absent. */
  readonly name?: string;
}

export interface ForkCost {
  /** That the container stood still, if it ran. */
  readonly milliseconds: number;
  /** Of what it has written. */
  readonly bytes: number;
  /** The file system shares the bytes of both until one of them writes; else they were copied. */
  readonly shared: boolean;
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

export interface StatsOptions extends Cancellable {
  /** Names or ids; those that run when absent. */
  readonly containers?: readonly string[];
  /** Those that do not run, too. */
  readonly all?: boolean;
  /** Between two readings; a second when absent. */
  readonly intervalMs?: number;
}

/** What a container has used between two readings, and what it uses now; zeros for one that does not run. */
export interface StatsRow {
  readonly id: string;
  readonly name: string;
  readonly status: ContainerStatus;
  /** The later reading; absent when there is none. */
  readonly stats?: ContainerStats;
  /** Of one processor: 200 is two. */
  readonly cpuPercent: number;
  /** Bytes, without page cache that nobody has used for long; the machine's memory where no limit is set. */
  readonly memory: { readonly used: number; readonly limit: number };
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
  kill(signal: Signal, options?: Cancellable): Promise<void>;
  resize(size: WindowSize, options?: Cancellable): Promise<void>;
  wait(options?: Cancellable): Promise<ExitStatus>;
}
