import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Result {
  /** 128 + n when a signal ended it, as a shell has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds, then SIGKILL and an error. */
  readonly timeout?: number;
}

/** A child that is talked to while it runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Result>;
  /** Resolves when stdout has come to contain `text`; rejects when the child ends first. */
  saw(text: string): Promise<void>;
}

const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** `stdio` open: stdin stays a pipe that the caller writes to. */
export function start(argv: readonly string[], { env, cwd, timeout = 60_000, input }: CommandOptions = {}): Running {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  let text = "";
  let errors = "";
  let changed: () => void = () => undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    out.push(chunk);
    if (text.length < 1 << 20) text += chunk.toString("latin1");
    changed();
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
  });
  // Who does not read its input may end before it is written.
  child.stdin.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "ECONNRESET") throw error;
  });
  if (input !== undefined) child.stdin.end(input);

  const ended = new Promise<Result>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${argv.join(" ")}: still running after ${timeout / 1000} s\n${text.slice(-2000)}\n${errors.slice(-2000)}`));
    }, timeout);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      changed();
      const bytes = Buffer.concat(out);
      resolve({ code: code ?? 128 + (signals[signal ?? ""] ?? 0), stdout: bytes.toString(), stderr: errors, bytes });
    });
  });
  ended.catch(() => undefined);

  const saw = async (wanted: string) => {
    for (let over = false; !text.includes(wanted); ) {
      if (over) throw new Error(`${argv.join(" ")}: ended without ${JSON.stringify(wanted)}\n${text.slice(-2000)}\n${errors.slice(-2000)}`);
      const more = new Promise<void>((resolve) => {
        changed = resolve;
      });
      over = await Promise.race([more.then(() => false), ended.then(() => true)]);
    }
  };
  return { child, pid: child.pid ?? 0, ended, saw };
}

/** To its end, whatever its exit code; stdin is empty unless `input`. */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<Result> {
  return start(argv, { input: "", ...options }).ended;
}

/** To its end, which must be a good one. */
export async function succeed(argv: readonly string[], options?: CommandOptions): Promise<Result> {
  const result = await command(argv, options);
  if (result.code !== 0) throw new Error(`${argv.join(" ")}: exit code ${result.code}\n${result.stderr}${result.stdout.slice(-2000)}`);
  return result;
}

/** Why these tools cannot be used: what is not installed; undefined when all are. For a test's `skip`. */
export function missing(...tools: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const absent = tools.filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return absent.length === 0 ? undefined : `not installed: ${absent.join(", ")}`;
}
