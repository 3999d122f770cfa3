import { join } from "node:path";
import { missing, succeed } from "./command.ts";

export type Step =
  /** A regular expression (Python's) that has to come in the output, after what the steps before have matched. */
  | { readonly expect: string }
  | { readonly send: string }
  | { readonly resize: readonly [rows: number, columns: number] }
  /** To the command at the terminal. */
  | { readonly signal: number }
  /** The terminal goes away, as with its window. */
  | { readonly close: true };

export interface Session {
  readonly output: string;
  readonly code: number;
}

/** Why there are no pseudo-terminals here. */
export const noPty = missing("python3");

/** Runs `argv` in a terminal of 24 × 80, unless `size` says otherwise; fails when an expected output does not come. */
export async function pty(
  argv: readonly string[],
  steps: readonly Step[],
  {
    env = {},
    size: [rows, columns] = [24, 80],
    timeout = 20,
  }: { env?: Readonly<Record<string, string>>; size?: readonly [number, number]; timeout?: number } = {},
): Promise<Session> {
  const request = JSON.stringify({ argv, steps, env, rows, columns, timeout });
  const { stdout } = await succeed(["python3", join(import.meta.dirname, "terminal.py")], {
    input: request,
    timeout: (steps.length + 2) * timeout * 1000,
  });
  const { output, code, failed } = JSON.parse(stdout) as Session & { failed: string | null };
  if (failed !== null) throw new Error(`${argv.join(" ")}: ${JSON.stringify(failed)} did not come; the output was\n${output}`);
  return { output, code };
}
