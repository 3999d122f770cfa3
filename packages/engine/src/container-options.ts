import type { Cancellable, Platform, Signal, WindowSize } from "@ramekin/core";
import type { PullProgress } from "./api.ts";
import type { MountOptions } from "./mount-options.ts";
import type { NamespaceOptions } from "./namespace-options.ts";
import type { ProcessOptions } from "./process-options.ts";
import type { ResourceOptions } from "./resource-options.ts";
import type { SecurityOptions } from "./security-options.ts";
import type { SupervisionOptions } from "./supervision-options.ts";

export interface RootDirectory {
  /** Absolute. */
  readonly path: string;
  /** What the container writes stays with the container. */
  readonly overlay?: boolean;
  /** With a user namespace: owners in it are the container's ids. */
  readonly idmap?: boolean;
}

/** What `docker create` takes; absent fields come from the image, then from the defaults. */
export interface ContainerOptions
  extends Cancellable,
    MountOptions,
    NamespaceOptions,
    ProcessOptions,
    ResourceOptions,
    SecurityOptions,
    SupervisionOptions {
  /** With `rootDirectory`, only what its image is called. */
  readonly image: string;
  /** Its files are those of a directory of the host, in the place of an image's. */
  readonly rootDirectory?: RootDirectory;
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
  /** A network driver's name, `container:NAME` or `ns:PATH`; `none` when absent. */
  readonly network?: string;
  /** A pty. */
  readonly tty?: boolean;
  /** `closed` when absent. `once`: end of file when the first attachment ends; `open`: waits for the next. */
  readonly stdin?: "closed" | "once" | "open";
  /** Which streams whoever makes it is going to take: for whoever reads it. */
  readonly attach?: readonly ("stdin" | "stdout" | "stderr")[];
  /** A small init as pid 1, which reaps and passes signals on. */
  readonly init?: boolean;
  readonly readOnly?: boolean;
  /** Removed by the supervisor when it has ended. */
  readonly autoRemove?: boolean;
  readonly stopSignal?: Signal;
  /** Seconds between the stop signal and SIGKILL; 10 when absent. */
  readonly stopTimeout?: number;
  readonly log?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> };
  /** Drivers, by name; the kernel chooses when absent. */
  readonly storage?: string;
  readonly isolation?: string;
  readonly windowSize?: WindowSize;
}
