import type { CleanupOperation, IsolationBackend, Mount, ProcessIO, ProcessSpec, Supervision } from "@ramekin/core";
import type { RuntimeConfig, SpecOptions } from "@ramekin/oci";

/** What a case wants its container to be; whatever it leaves out is Docker's default. */
export interface BundleOptions extends Partial<SpecOptions> {
  /** The last word on the spec. */
  readonly edit?: (spec: RuntimeConfig) => RuntimeConfig;
  /** To put things into the image, before anybody has seen it: gets the directory of its root. */
  readonly image?: (root: string) => Promise<void>;
}

export interface Bundle {
  readonly id: string;
  /** Holds config.json. */
  readonly directory: string;
  readonly rootfs: readonly Mount[];
  /** The root file system on the host. */
  readonly root: string;
  readonly stateFile: string;
  /** A directory of this bundle's own, outside of its root. */
  readonly scratch: string;
}

/** What the backend under test claims beyond the contract. Cases that need what it does not claim are skipped. */
export interface IsolationCapabilities {
  readonly userNamespace?: boolean;
  readonly timeNamespace?: boolean;
  /** Limits can be set, and are enforced. */
  readonly limits?: boolean;
  /** The devices of the container are made by mknod(2), and a control group says which open. */
  readonly devices?: boolean;
  /** `CreateOptions.supervision` is heeded; `supervise` and `checkHealth` are there. */
  readonly supervision?: boolean;
}

/**
 * A backend and the maker of its containers. Their roots hold busybox with all its applets, /etc/passwd and group with `root`, and
 * `cook` (1000, of groups cook 1000 and `kitchen` 2000), a writable /tmp. Disposal removes them all, then checks that nothing is left
 * of them: no process, mount, control group or descriptor.
 */
export interface IsolationFixture extends AsyncDisposable {
  readonly backend: IsolationBackend;
  readonly capabilities: IsolationCapabilities;
  bundle(args: readonly string[], options?: BundleOptions): Promise<Bundle>;
  /** What the next process would make of the same state. */
  again(): IsolationBackend;
  /** Everything that there is of this fixture's containers, in words: for when all have been deleted. */
  leftovers(): Promise<readonly string[]>;
  /** Path of an init program: `init -- PROGRAM`. */
  readonly init?: string;
}

/** Beside what the bundle says, how a case creates its container. */
export interface BoxOptions extends BundleOptions {
  readonly io?: Partial<ProcessIO>;
  /** As in `CreateOptions`: by name. */
  readonly as?: string;
  readonly groups?: readonly string[];
  readonly supervision?: Supervision;
  readonly cleanup?: (bundle: Bundle) => readonly CleanupOperation[];
}

export interface ExecOptions extends Partial<Pick<ProcessSpec, "cwd" | "env">> {
  readonly io?: Partial<ProcessIO>;
  readonly as?: string;
  readonly edit?: (process: ProcessSpec) => ProcessSpec;
  readonly stdin?: string;
}
