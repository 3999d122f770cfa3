import type {
  Attachment,
  ByteStream,
  Cancellable,
  Change,
  ContainerStats,
  Descriptor,
  Digest,
  ExitStatus,
  LogReadOptions,
  LogRecord,
  Signal,
  WindowSize,
} from "@ramekin/core";
import type { ImageInfo } from "./api.ts";
import type { ContainerOptions } from "./container-options.ts";

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
  kill(signal: Signal): Promise<void>;
  resize(size: WindowSize): Promise<void>;
  wait(options?: Cancellable): Promise<ExitStatus>;
}
