import type { BuildOutput, BuildPull, BuiltImage, Cancellable, Platform } from "@ramekin/core";

export interface BuildOptions extends Cancellable {
  /** A directory. Absent: none, and nothing can be copied from it. */
  readonly context?: string;
  /** A path; `<context>/Dockerfile` when absent. */
  readonly file?: string;
  /** The Dockerfile itself, in place of `file`. */
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
  /** Of RUN without `--network`; `default` and `host` are the host's, until there are others. */
  readonly network?: "default" | "host" | "none";
  /** For `RUN --mount=type=secret`, by id. */
  readonly secrets?: Readonly<Record<string, Uint8Array>>;
  readonly onEvent?: (event: BuildEvent) => void;
}

/** What happens while a build runs. `step` numbers steps in the order in which they begin. */
export type BuildEvent =
  | { readonly type: "begin"; readonly step: number; readonly name: string }
  | { readonly type: "output"; readonly step: number; readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly step: number; readonly cached: boolean; readonly milliseconds: number; readonly error?: string }
  | { readonly type: "warning"; readonly message: string };

export interface BuildResult extends BuiltImage {}
