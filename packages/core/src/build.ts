import type { CacheSource, CacheTarget, MadeStep } from "./build-cache.ts";
import type { BuildDate, BuildOutput, BuiltImage, BuiltPlatform } from "./build-output.ts";
import type { ByteStream, Cancellable } from "./bytes.ts";
import type { ImageConfig } from "./image.ts";
import type { Attachment, ExitStatus, WindowSize } from "./isolation.ts";
import type { Descriptor, Platform } from "./oci/descriptor.ts";
import type { DiffID, Digest } from "./oci/digest.ts";
import type { Signal } from "./signal.ts";

/**
 * What a build asks of whoever keeps images and runs containers.
 *
 * A build works on *stacks*: layers, base first, each with what it changes over those below. A step takes a stack and makes one more
 * layer. Nothing of it has a name before `publish`; until then the *session* keeps garbage collection away from it.
 */
export interface BuildHost {
  openBuild(options?: Cancellable): Promise<BuildSession>;
}

/** `descriptor.digest` names the stored bytes, `diffID` the tar. */
export interface BuildLayer {
  readonly descriptor: Descriptor;
  readonly diffID: DiffID;
}

export type Stack = readonly BuildLayer[];

export interface BuildSession extends AsyncDisposable {
  readonly platform: Platform;
  /** What `FROM` names; fetched as `pull` says. NOT_FOUND, UNSUPPORTED for another platform. */
  image(reference: string, options: Cancellable & { readonly platform: Platform; readonly pull: BuildPull }): Promise<BuildBase>;
  /** A layer of what `work` does to a copy of the stack's files; undefined when it does nothing. */
  change(stack: Stack, work: (files: BuildFiles) => Promise<void>, options?: Cancellable): Promise<BuildLayer | undefined>;
  /** The same of nothing, for any stack: directories that are only on the way are not in it, lest they change those that are there. */
  layer(work: (files: BuildFiles) => Promise<void>, options?: Cancellable): Promise<BuildLayer | undefined>;
  /** The files of a stack, to be read. */
  view<T>(stack: Stack, work: (files: Pick<BuildFiles, "look" | "pack">) => Promise<T>, options?: Cancellable): Promise<T>;
  /** Runs a program on a stack. Without a layer when it fails, or changes nothing. */
  run(stack: Stack, step: BuildRun, options?: Cancellable): Promise<RanStep>;
  /** The tar in what may be compressed; undefined when it is no tar. */
  tarIn(source: ByteStream, options?: Cancellable): Promise<ByteStream | undefined>;
  /** The image in an OCI layout that `reference` names, a tag or a digest; without one, its only image. NOT_FOUND. */
  layoutImage(
    path: string,
    options: Cancellable & { readonly reference?: string | undefined; readonly platform: Platform },
  ): Promise<BuildBase>;
  /** A new directory, on disk, that is gone with the session. */
  folder(): Promise<string>;
  /** What is quicker to remember than to find out again; it may be gone at any time. `name`: letters, digits and `-`. */
  readNote(name: string): Promise<string | undefined>;
  writeNote(name: string, text: string): Promise<void>;
  /** What was remembered under this key, if its layer is still here. */
  recall(key: Digest): Promise<CachedStep | undefined>;
  /** `layer` may be absent: a step that changes nothing. */
  remember(key: Digest, stack: Stack, layer: BuildLayer | undefined): Promise<CachedStep>;
  /** From here on `recall` knows what this cache knows. False when there is none, which is told and no error. */
  importCache(source: CacheSource, options?: Cancellable): Promise<boolean>;
  exportCache(made: readonly MadeStep[], built: readonly BuiltPlatform[], target: CacheTarget, options?: Cancellable): Promise<void>;
  /** Writes what was built to all of these. Resolves with the image as the first of them has it. */
  publish(built: readonly BuiltPlatform[], outputs: readonly BuildOutput[], options?: PublishOptions): Promise<BuiltImage>;
}

export type BuildPull = "always" | "missing" | "never";

export interface BuildBase {
  /** Canonical. */
  readonly name: string;
  /** Of the manifest for the platform. */
  readonly digest: Digest;
  readonly config: ImageConfig;
  readonly layers: Stack;
}

export interface CachedStep {
  readonly layer?: BuildLayer;
  readonly createdAt: Date;
}

/** Paths are absolute, and links in them stay inside. */
export interface BuildFiles {
  /** Undefined when nothing is there. */
  look(path: string, options?: { readonly follow?: boolean }): Promise<BuildFile | undefined>;
  /** A file, or a directory with all that is in it, as a tar; `name`: what it is called there. */
  pack(path: string, options?: { readonly name?: string; readonly follow?: boolean }): ByteStream;
  /**
   * A tar's files into a directory that is there; `user`: whose they will be, by name or number as the files know users; `onTheWay`: they
   * are directories that others need.
   */
  unpack(path: string, tar: ByteStream, options?: { readonly user?: string; readonly onTheWay?: boolean }): Promise<void>;
}

export interface BuildFile {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly size: number;
}

/** One `RUN`. */
export interface BuildRun {
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly workdir: string;
  /** Of its programs; the session's own when absent. UNSUPPORTED for one that does not run here. */
  readonly platform?: Platform;
  readonly user?: string;
  readonly network: "none" | "host";
  /** Every capability and device, no seccomp filter: `RUN --security=insecure`. */
  readonly insecure?: boolean;
  /** Names of the Container Device Interface: `vendor.com/class=name`. */
  readonly devices?: readonly string[];
  readonly mounts: readonly BuildMount[];
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
  /** Called when it ends with another status than 0, while all that it had is still there. */
  readonly onFailure?: (failed: FailedRun) => Promise<void>;
}

/** A `RUN` whose program has failed. */
export interface FailedRun {
  readonly code: number;
  /** Another program in its place: the files as it left them, its mounts, variables, user and network. What that one changes is lost. */
  open(args: readonly string[], options?: { readonly tty?: boolean }): Promise<BuildShell>;
}

/** Not started yet. Disposal ends it and leaves nothing; the end of `onFailure` does so, too. */
export interface BuildShell extends AsyncDisposable {
  readonly name: string;
  start(options?: Cancellable & { readonly attach?: boolean; readonly windowSize?: WindowSize }): Promise<void>;
  attach(options?: Cancellable): Promise<Attachment>;
  wait(options?: Cancellable): Promise<ExitStatus>;
  kill(signal?: Signal): Promise<void>;
}

export type BuildMount =
  | {
      readonly type: "cache";
      readonly target: string;
      readonly id: string;
      /** `private`: a fresh one for whoever comes second; `locked`: he waits. */
      readonly sharing: "shared" | "private" | "locked";
      readonly readOnly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** What a new one begins with: what a stack has at `source`, a directory. */
      readonly from?: { readonly stack: Stack; readonly source: string };
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size?: number }
  /** What a stack has at `source`; what is written there is gone after the step. */
  | { readonly type: "bind"; readonly target: string; readonly stack: Stack; readonly source: string; readonly readOnly: boolean }
  /** A socket of the host's, which `RUN` may talk to: of an ssh agent. */
  | {
      readonly type: "socket";
      readonly source: string;
      readonly target: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** Never in a layer, in the cache or in the history. */
  | {
      readonly type: "secret";
      readonly target?: string;
      readonly env?: string;
      readonly value: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface RanStep {
  readonly code: number;
  readonly layer?: BuildLayer;
}

export interface PublishOptions extends Cancellable {
  /** For outputs that do not say others. */
  readonly names?: readonly string[];
  readonly date?: BuildDate;
  /** Steps that the image itself is to remember. */
  readonly inline?: readonly MadeStep[];
  /** Around each part of the work, with words for it. */
  readonly step?: <T>(title: string, work: () => Promise<T>) => Promise<T>;
}
