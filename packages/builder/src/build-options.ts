import type {
  BuildOutput,
  BuildPull,
  BuiltImage,
  ByteStream,
  CacheSource,
  CacheTarget,
  Cancellable,
  FailedRun,
  Platform,
  RamekinError,
} from "@ramekin/core";
import type { Recipe } from "./recipe.ts";

export interface BuildOptions extends Cancellable {
  /**
   * A directory, a repository (`URL.git#REF:SUBDIR`), or an http address of an archive or a Dockerfile. Absent: none, and nothing can
   * be copied from it.
   */
  readonly context?: string;
  /** In place of `context`: a tar, compressed or not, or a Dockerfile. */
  readonly archive?: ByteStream;
  /** More contexts, by name: a directory, a repository or an archive's address, `docker-image://`, `oci-layout://`, `target:` of a stage. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** A path, or what `image` made; `<context>/Dockerfile` when absent. Where the context is no directory, a path in it. */
  readonly dockerfile?: string | Recipe;
  /** The Dockerfile itself, in place of `dockerfile`. */
  readonly text?: string;
  readonly tags?: readonly string[];
  /** `ARG`s. */
  readonly args?: Readonly<Record<string, string>>;
  /** The stage to build, by name or number; the last when absent. */
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** Several make one image index. */
  readonly platforms?: readonly Platform[];
  /** Where the result goes; into the store when absent. */
  readonly outputs?: readonly BuildOutput[];
  /** Seconds since 1970: the date of the image and of every file in its new layers. The argument SOURCE_DATE_EPOCH dates what is later. */
  readonly timestamp?: number;
  /** Whether files of new layers are dated, too; with a date they are when absent. */
  readonly rewriteTimes?: boolean;
  /** Whether bases are asked for at their registries; `missing` when absent. */
  readonly pull?: BuildPull;
  /** Nothing that was made before is used. */
  readonly noCache?: boolean;
  /** The same of these stages alone. */
  readonly noCacheFilter?: readonly string[];
  /** Where steps that are not known here may be known; each that is not there is told of. */
  readonly cacheFrom?: readonly CacheSource[];
  readonly cacheTo?: readonly CacheTarget[];
  /** The image remembers its own steps: it can be a `cacheFrom` of type registry. */
  readonly inlineCache?: boolean;
  /** Of RUN without `--network`; `default` and `host` are the host's, until there are others. */
  readonly network?: "default" | "host" | "none";
  /** For `RUN --mount=type=secret`, by id; and for servers, as `HTTP_AUTH_TOKEN_<host>` or `GIT_AUTH_TOKEN.<host>`. */
  readonly secrets?: Readonly<Record<string, Uint8Array>>;
  /** For `RUN --mount=type=ssh`, by id: the socket of an agent. */
  readonly agents?: Readonly<Record<string, string>>;
  /** What the Dockerfile may ask for beyond a container's fences. */
  readonly entitlements?: readonly BuildEntitlement[];
  readonly onEvent?: (event: BuildEvent) => void;
  /** Called when a step fails, and waited for: until it is done the files and mounts of a RUN are still there, for programs to have a look. */
  readonly onStepError?: (failed: FailedStep) => void | Promise<void>;
}

/** `security.insecure`: `RUN --security=insecure`; `device`, or `device=NAME` for one: `RUN --device`. */
export type BuildEntitlement = "security.insecure" | "network.host" | "device" | `device=${string}`;

/** A step that has failed, before the build does. */
export interface FailedStep {
  /** As events have it: `[build 3/7] RUN make`. */
  readonly name: string;
  /** With the place in the Dockerfile. */
  readonly error: RamekinError;
  /** Of a RUN whose program has run. */
  readonly run?: FailedRun & { readonly args: readonly string[] };
}

/** What happens while a build runs. `step` numbers steps in the order in which they begin. */
export type BuildEvent =
  /** How many steps there are, as far as is known by now. */
  | { readonly type: "plan"; readonly steps: number }
  | { readonly type: "begin"; readonly step: number; readonly name: string }
  | { readonly type: "output"; readonly step: number; readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  /** A part of a step that has a name of its own, and bytes where it moves some. */
  | { readonly type: "part"; readonly step: number; readonly name: string; readonly bytes?: number; readonly done: boolean }
  | {
      readonly type: "end";
      readonly step: number;
      readonly cached: boolean;
      readonly milliseconds: number;
      readonly error?: string;
      /** It did not fail: the build was stopped, or another step failed. */
      readonly cancelled: boolean;
    }
  /** Of a build check; `message` is a line about it, `step` the one that reads the file. */
  | { readonly type: "warning"; readonly step: number; readonly message: string; readonly warning: BuildWarning };

/** From 1, both included. */
export type Lines = readonly [first: number, last: number];

export interface BuildWarning {
  readonly rule: string;
  readonly message: string;
  readonly description: string;
  /** Docker's page about the rule. */
  readonly url: string;
  readonly file: string;
  readonly lines: Lines;
  /** The place, with the lines around it. */
  readonly excerpt: string;
}

export interface BuildResult extends BuiltImage {}
