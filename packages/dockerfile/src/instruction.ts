import type { Healthcheck } from "@ramekin/oci";
import type { Heredoc } from "./heredoc.ts";
import type { Piece, Range } from "./source.ts";

/** What every instruction has. Values are as written: variables and quotes are still in them. */
export interface InstructionBase {
  /** As it is written: `run`, `Run`, `RUN`. */
  readonly keyword: Piece;
  /** From the keyword to the end of the last line, heredocs included. */
  readonly range: Range;
  /** The lines joined, as Docker's history and progress show them. */
  readonly text: string;
  /** Of the lines directly above, without `#`. */
  readonly comments: readonly string[];
  /** Flags that were given, by name. */
  readonly flags: readonly string[];
}

/** `form: "exec"`: a JSON list, run as it is. `form: "shell"`: one piece, or none, for the shell. */
export interface CommandLine {
  readonly form: "exec" | "shell";
  readonly words: readonly Piece[];
  readonly heredocs: readonly Heredoc[];
}

export interface Pair {
  readonly name: Piece;
  readonly value: Piece;
}

/** A file whose content stands in the Dockerfile. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly expand: boolean;
  readonly range: Range;
}

export interface Transfer extends InstructionBase {
  readonly sources: readonly Piece[];
  readonly files: readonly InlineFile[];
  readonly destination: Piece;
  readonly chown?: Piece;
  readonly chmod?: Piece;
  readonly link: boolean;
  readonly exclude: readonly Piece[];
}

export interface From extends InstructionBase {
  readonly name: "FROM";
  readonly base: Piece;
  readonly platform?: Piece;
  /** `AS`, as it is written. */
  readonly as?: Piece;
  /** Lower case; `alias` has it as written. */
  readonly stage?: string;
  readonly alias?: Piece;
}

export interface Run extends InstructionBase {
  readonly name: "RUN";
  readonly command: CommandLine;
  /** Read by `parseMount` once variables are known. */
  readonly mounts: readonly Piece[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly Device[];
}

export interface Device {
  readonly name: string;
  readonly required: boolean;
}

export interface Copy extends Transfer {
  readonly name: "COPY";
  readonly from?: Piece;
  readonly parents: boolean;
}

export interface Add extends Transfer {
  readonly name: "ADD";
  readonly keepGitDir?: boolean;
  readonly checksum?: Piece;
  readonly unpack?: boolean;
}

/** `legacy`: `ENV name the rest of the line`. */
export interface Env extends InstructionBase {
  readonly name: "ENV" | "LABEL";
  readonly pairs: readonly Pair[];
  readonly legacy: boolean;
}

export interface Arg extends InstructionBase {
  readonly name: "ARG";
  readonly definitions: readonly ArgDefinition[];
}

export interface ArgDefinition {
  readonly name: Piece;
  /** Absent in `ARG name`, empty in `ARG name=`. */
  readonly value?: Piece;
  /** From the comment above: `# name what it is for`. */
  readonly description?: string;
}

export interface Command extends InstructionBase {
  readonly name: "CMD" | "ENTRYPOINT";
  readonly command: CommandLine;
}

export interface Single extends InstructionBase {
  readonly name: "USER" | "WORKDIR" | "STOPSIGNAL" | "MAINTAINER";
  readonly value: Piece;
}

export interface Many extends InstructionBase {
  readonly name: "EXPOSE" | "VOLUME";
  readonly values: readonly Piece[];
}

export interface Shell extends InstructionBase {
  readonly name: "SHELL";
  readonly shell: readonly string[];
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly name: "HEALTHCHECK";
  readonly healthcheck: Healthcheck;
}

export interface Onbuild extends InstructionBase {
  readonly name: "ONBUILD";
  /** The instruction that it triggers, heredocs included, as the image keeps it. */
  readonly trigger: string;
}

export type Instruction = From | Run | Copy | Add | Env | Arg | Command | Single | Many | Shell | HealthcheckInstruction | Onbuild;

export type StageInstruction = Exclude<Instruction, From>;

export type InstructionName = Instruction["name"];

/** All 18. */
export const instructionNames: readonly InstructionName[] = [
  "ADD",
  "ARG",
  "CMD",
  "COPY",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "FROM",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "ONBUILD",
  "RUN",
  "SHELL",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
];
