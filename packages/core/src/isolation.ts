import type { ByteStream, Cancellable } from "./bytes.ts";
import type { CleanupOperation } from "./cleanup.ts";
import type { EventJournal } from "./event.ts";
import type { LogWriterSpec } from "./log.ts";
import type { Mount } from "./mount.ts";
import type { IdMapping, ProcessSpec, Resources } from "./oci/runtime.ts";
import type { Signal } from "./signal.ts";
import type { Health, HealthResult, HealthStatus, RestartPolicy, StopOptions, Supervision } from "./supervision.ts";

/** `restarting`: between two runs, see `RestartPolicy`. */
export type ContainerStatus = "creating" | "created" | "running" | "paused" | "restarting" | "stopped";

export interface ContainerState {
  readonly id: string;
  readonly status: ContainerStatus;
  readonly bundle: string;
  /** As the host sees it; absent once stopped, and between two runs. */
  readonly pid?: number;
  /** Present once stopped, and between two runs. */
  readonly exit?: ExitStatus;
  /** How often the supervisor has started it again. */
  readonly restartCount?: number;
  readonly health?: Health;
}

export interface ExitStatus {
  /** As a shell has it: 128 + n when killed by signal n. */
  readonly code: number;
  readonly signal?: Signal;
  readonly oomKilled?: boolean;
  /** Why the process never ran, or why the supervisor lost it. */
  readonly error?: string;
  readonly exitedAt: Date;
}

/**
 * How the supervisor (ramekin-shim) wires the stdio of a process.
 * It describes and lends nothing: descriptors of the creator would die with the creator.
 */
export interface ProcessIO {
  /** A pty, as `process.terminal` says too: stdout and stderr are then one. Its first size is `process.consoleSize`. */
  readonly terminal: boolean;
  /** `once`: closed when the first attachment ends; `open`: waits for the next; `closed`: /dev/null. */
  readonly stdin: "closed" | "once" | "open";
  readonly log: LogWriterSpec;
}

/** Who a process runs as, by name; the supervisor looks names up in the root file system's own passwd(5) and group(5). */
export interface UserChoice {
  /**
   * `name`, `uid`, `name:group`, `uid:gid` … as in an image's `config.User`. Replaces `process.user`, and sets HOME when
   * `process.env` has none. Absent: `process.user` holds as it is.
   */
  readonly user?: string;
  /** More groups, by name or number. */
  readonly groups?: readonly string[];
}

export interface CreateOptions extends Cancellable, UserChoice {
  readonly io: ProcessIO;
  /**
   * Durable file, JSON `{version, status, pid, startTime, bootId, startedAt, exit, restartCount, stoppedByHand, health, …}`, that the supervisor rewrites
   * (temporary file, rename) at each change of status. Unknown fields are kept. Any process may read it at any time.
   */
  readonly stateFile: string;
  /** The program that makes the container, by path or name, where a backend leaves the choice; UNSUPPORTED where it does not. */
  readonly runtime?: string;
  /** The container's user namespace, when owners in `rootfs` are its ids and not the host's. */
  readonly idMap?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
  /** From the storage driver, unread; mounted one over the other at the bundle's root, in the container's mount namespace. */
  readonly rootfs: readonly Mount[];
  /** Only a backend that has `supervise` heeds it. */
  readonly supervision?: Supervision;
  /** Absent: the supervisor tells nobody. */
  readonly events?: EventJournal;
  /** For mounts of the bundle that show what is no path of the host. Prepared in the container's mount namespace, and gone with it. */
  readonly sources?: readonly MountSource[];
  /** Added to the first process's environment where no file holds it. */
  readonly variables?: readonly SecretVariable[];
  /** Of the calling process: they become the program's 3, 4 and so on, in each of its runs that the restart policy brings. */
  readonly descriptors?: readonly number[];
  /** Only a backend that has `restart` heeds it; for others the bundle says whose namespaces are joined. */
  readonly partners?: readonly Partner[];
  /** Run by the supervisor after the container has ended and its exit status is on disk. */
  readonly cleanup: readonly CleanupOperation[];
}

/**
 * Another container of whose namespaces the bundle joins one. Before each run the supervisor looks up which process that is now; a
 * restart policy waits, as after a failed run, for a partner that does not run, and ends with one that is gone.
 */
export interface Partner {
  readonly namespace: "pid" | "ipc" | "uts" | "network";
  /** For messages. */
  readonly name: string;
  readonly stateFile: string;
}

/** What the bundle's mount on `destination`, a bind, shows. */
export interface MountSource {
  readonly destination: string;
  /** One over the other. */
  readonly mounts: readonly Mount[];
  /** Put into it: the content of a file of the host, below its root. */
  readonly files?: readonly {
    readonly file: string;
    readonly path: string;
    readonly uid?: number;
    readonly gid?: number;
    readonly mode: number;
  }[];
  /** Only what is there; links lead nowhere out of it. */
  readonly subpath?: string;
  /** Owners in it are ids of the container's user namespace (`idMap`), not the host's. */
  readonly mapped?: boolean;
}

/** A variable whose value is the content of a file of the host. */
export interface SecretVariable {
  readonly name: string;
  readonly file: string;
}

/** The container's first process, or with `execId` one that `exec` made. */
export interface ProcessChoice {
  readonly execId?: string;
}

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

export interface ExecVariables {
  /** For a container that has been created with some; only a backend that heeds those heeds these. */
  readonly variables?: readonly SecretVariable[];
}

/** A connection to a running process's stdio. Disposal is `detach`; the process does not notice. */
export interface Attachment extends AsyncDisposable {
  /** Closing it is end of file for the process. Writing rejects with FAILED_PRECONDITION when stdin is closed. */
  readonly stdin: WritableStream<Uint8Array>;
  /** Ends when the process has closed it. */
  readonly stdout: ByteStream;
  /** Absent with a terminal. */
  readonly stderr?: ByteStream;
  resize(size: WindowSize): Promise<void>;
  detach(): Promise<void>;
}

/** One reading of the container's cgroup; counters grow. */
export interface ContainerStats {
  readonly readAt: Date;
  readonly cpu: { readonly usageUs: number; readonly throttledUs?: number };
  /** `reclaimable`: the part of `usage` that is page cache nobody has used for long. */
  readonly memory: { readonly usage: number; readonly limit?: number; readonly peak?: number; readonly reclaimable?: number };
  readonly pids: { readonly current: number; readonly limit?: number };
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
  /** All interfaces but `lo`; absent where the container is in the host's network namespace. */
  readonly network?: { readonly receivedBytes: number; readonly sentBytes: number };
}

/** Absent fields stay as they are. */
export interface SupervisionChanges extends Partial<Pick<CreateOptions, "cleanup" | "events">> {
  readonly restart?: RestartPolicy;
}

/**
 * Runs containers: the five operations of the OCI runtime spec, and what a supervisor adds.
 *
 * A *bundle* is an OCI bundle, a directory with config.json; the backend reads it and leaves it as it is. Before the
 * first process runs, the supervisor makes what the specification asks for below the root and is not there: mount targets
 * and `process.cwd`; no link of the image leads it out of the root. The *supervisor* is the container's parent; it outlives
 * whoever called `create`, holds stdio, keeps exit statuses and cleans up. There is no daemon, so everything is keyed by
 * container id, never by a handle in memory: the process that deletes a container is seldom the one that created it.
 *
 * A container: `create` → `attach` → `start` → `wait` → `delete`. One more process in it: `exec` → `attach` → `start` → `wait`.
 * `create` and `exec` resolve once the process waits to be started, so that attaching before `start` misses no byte.
 *
 * An unknown id rejects with NOT_FOUND, save in `state` and `delete`; an operation in the wrong status with FAILED_PRECONDITION.
 */
export interface IsolationBackend {
  /** If it rejects, nothing is left. COMMAND_NOT_FOUND and COMMAND_NOT_EXECUTABLE where that shows as early as this (runc). */
  create(id: string, bundle: string, options: CreateOptions): Promise<ContainerState>;
  /** Rejects with COMMAND_NOT_FOUND or COMMAND_NOT_EXECUTABLE when the program cannot run; it has then ended, with 127 or 126. */
  start(id: string, options?: Cancellable & ProcessChoice): Promise<void>;
  /**
   * A no-op on a process that has ended. `all`: every process in the container. `final`: the restart policy ends with it, until
   * the container is created again; the state file says `stoppedByHand`. Between two runs that alone ends the container.
   */
  kill(id: string, signal: Signal, options?: ProcessChoice & { readonly all?: boolean; readonly final?: boolean }): Promise<void>;
  /** Idempotent. `force` kills first; otherwise FAILED_PRECONDITION unless stopped. With `execId`, only forgets that ended process. */
  delete(id: string, options?: ProcessChoice & { readonly force?: boolean }): Promise<void>;
  state(id: string): Promise<ContainerState | undefined>;
  /** From any process, any number of times, until `delete`. With a restart policy: of the run that is on, or comes next. */
  wait(id: string, options?: Cancellable & ProcessChoice): Promise<ExitStatus>;
  /** Makes one more process in the container, to be started like the first. */
  exec(id: string, execId: string, process: ProcessSpec, io: ProcessIO, options?: Cancellable & UserChoice & ExecVariables): Promise<void>;
  attach(id: string, options?: Cancellable & ProcessChoice): Promise<Attachment>;
  resize(id: string, size: WindowSize, options?: ProcessChoice): Promise<void>;

  /** Changes what the supervisor of a container goes by from now on. Absent: the backend does not heed `CreateOptions.supervision`. */
  supervise?(id: string, changes: SupervisionChanges): Promise<void>;
  /**
   * `stop`, and another run at once, by the supervisor alone: nothing of the clean-up list is done in between, whoever is killed.
   * Resolves when the program runs. FAILED_PRECONDITION, with nothing stopped, while a partner does not run.
   */
  restart?(id: string, stop: StopOptions, options?: Cancellable): Promise<void>;
  /** Runs the health check now, or joins the one that runs. FAILED_PRECONDITION when the container has none, or ends meanwhile. */
  checkHealth?(id: string, options?: Cancellable): Promise<{ readonly status: HealthStatus; readonly result: HealthResult }>;
  pause?(id: string): Promise<void>;
  resume?(id: string): Promise<void>;
  /** `pause` until the hold is disposed of, or its process ends, be it by SIGKILL: nothing stays frozen for nobody. */
  hold?(id: string): Promise<AsyncDisposable>;
  /** Absent fields stay as they are. */
  update?(id: string, resources: Resources): Promise<void>;
  stats?(id: string): Promise<ContainerStats>;
  /** Pids as the host sees them. */
  processes?(id: string): Promise<readonly number[]>;
  /** OCI runtime spec, features.md. */
  features?(): Promise<Readonly<Record<string, unknown>>>;
}
