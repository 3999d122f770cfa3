import type { Device, InlineFile, StageInstruction } from "./instruction.ts";
import type { RunMount } from "./mount.ts";
import type { Origin } from "./stage-graph.ts";

/** What an instruction does to the files of a stage, with everything expanded. Instructions that only change the configuration are none. */
export type Step = RunStep | TransferStep | DirectoryStep;

interface StepBase {
  readonly instruction: StageInstruction;
  /** As progress shows it: `RUN npm ci`. */
  readonly title: string;
  /** It came with the base image. */
  readonly triggered: boolean;
  /** Index in the configuration's history. */
  readonly history: number;
}

export interface RunStep extends StepBase {
  readonly type: "run";
  readonly arguments: readonly string[];
  /** A heredoc that begins with `#!`: a file to be run, at `/dev/pipes/<name>`, mode 0755. */
  readonly script?: { readonly name: string; readonly content: string };
  readonly mounts: readonly StepMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly Device[];
  /** `NAME=value`: variables of the image and arguments of the stage. */
  readonly environment: readonly string[];
  readonly directory: string;
  readonly user: string;
}

export interface StepMount extends RunMount {
  /** The build context when absent, where the type takes files from anywhere. */
  readonly origin?: Origin;
  /** Absolute; a secret that is only a variable has none. */
  readonly destination?: string;
}

export interface TransferStep extends StepBase {
  readonly type: "copy" | "add";
  readonly sources: readonly string[];
  /** Their contents expanded. */
  readonly files: readonly InlineFile[];
  /** Absolute; a slash at the end says that it is a directory. */
  readonly destination: string;
  /** The build context when absent. */
  readonly origin?: Origin;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly keepGitDir?: boolean;
  readonly checksum?: string;
  readonly unpack?: boolean;
}

/** WORKDIR makes the directory, with its parents. */
export interface DirectoryStep extends StepBase {
  readonly type: "directory";
  readonly path: string;
  readonly user: string;
}
