import type { BuildPull, Cancellable, Digest, Platform } from "@ramekin/core";

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

export interface BuildResult {
  /** Of the manifest. */
  readonly digest: Digest;
  readonly configDigest: Digest;
  readonly names: readonly string[];
}
