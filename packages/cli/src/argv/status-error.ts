import type { Verb } from "../verb.ts";

/** An error of the command itself, not of the engine, with an exit status of its own. */
export class StatusError extends Error {
  override readonly name: "StatusError" | "UsageError" = "StatusError";
  readonly status: number;
  readonly hint: string | undefined;

  constructor(message: string, status: number, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** The command line itself is wrong: nothing has been tried. Reported with the usage line. */
export class UsageError extends StatusError {
  override readonly name = "UsageError";
  readonly verb: Verb | undefined;

  /** The status is 125 for flags and 1 for arguments, as in Docker. */
  constructor(
    message: string,
    { verb, status = 125, hint }: { readonly verb?: Verb | undefined; readonly status?: number; readonly hint?: string | undefined } = {},
  ) {
    super(message, status, hint);
    this.verb = verb;
  }
}

/** By name, not `instanceof`: oclif loads commands in its own way, and there may be two copies of this module. */
export function isStatusError(error: unknown): error is StatusError {
  return error instanceof Error && (error.name === "StatusError" || isUsageError(error));
}

export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && error.name === "UsageError";
}
