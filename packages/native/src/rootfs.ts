import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ByteStream, type Cancellable, type ErrorCode, RamekinError } from "@ramekin/core";
import { cancelled, systemError } from "./errors.ts";
import { nativeParts, nativeProgram } from "./parts.ts";
import { type IdMaps, rootlessUserns } from "./userns.ts";

export interface RootfsOptions extends Cancellable {
  /** A descriptor goes to the process as it is: its bytes never pass through Node. It stays open, and ours. */
  readonly stdin?: ByteStream | number | undefined;
  /** Whether there will be output to read. */
  readonly stdout?: boolean;
  /** Absent: without root, a user namespace of `rootlessUserns()`; with root, none. */
  readonly userns?: IdMaps | "none";
}

/** When a process is started: the module brings node:net and node:dgram along, 3 ms of a start that may need none of them. */
const childProcess = () => createRequire(import.meta.url)("node:child_process") as typeof import("node:child_process");

/** A running `ramekin-rootfs`. */
export interface RootfsRun<T> {
  /** What it writes; must be read when it was asked for. */
  readonly stdout: Readable | undefined;
  /** Settles when the process has ended. */
  readonly result: Promise<T>;
  /** Ends it at once; `result` then rejects. */
  kill(): void;
}

/** Runs one operation on a root file system; ARCHITECTURE.md lists them. */
export async function rootfs<T>(operation: string, request: object, options: Omit<RootfsOptions, "stdout"> = {}): Promise<T> {
  return startRootfs<T>(operation, request, options).result;
}

/** As `rootfs`, for operations with output. */
export function startRootfs<T>(operation: string, request: object, options: RootfsOptions = {}): RootfsRun<T> {
  const { stdin, signal } = options;
  if (signal?.aborted) throw cancelled(operation, signal);
  const userns = options.userns ?? (process.geteuid?.() === 0 ? "none" : rootlessUserns());
  const { buildId } = nativeParts();
  const envelope = { ...request, ...(userns === "none" ? {} : { userns }), ...(buildId === undefined ? {} : { buildId }) };
  const source = typeof stdin === "number" ? stdin : stdin === undefined ? "ignore" : "pipe";
  const child = childProcess().spawn(nativeProgram("ramekin-rootfs"), [operation], {
    stdio: [source, options.stdout ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
    // Only what newuidmap needs to be found by.
    env: { PATH: process.env["PATH"] },
  });
  const kill = () => void child.kill("SIGKILL");
  const result = settle<T>(child, operation, envelope, options, kill);
  // Whoever reads stdout first learns of a failure there; nobody has to await twice.
  result.catch(() => undefined);
  return { stdout: child.stdout ?? undefined, result, kill };
}

async function settle<T>(child: ChildProcess, operation: string, request: object, options: RootfsOptions, kill: () => void): Promise<T> {
  const { stdin, signal } = options;
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", (error) => reject(systemError(error, `ramekin-rootfs ${operation}`)));
    child.once("close", (code, killedBy) => resolve(killedBy ?? `status ${code}`));
  });
  signal?.addEventListener("abort", kill);
  try {
    const [, , , requests, results] = child.stdio as [unknown, unknown, unknown, Writable, Readable];
    quiet(requests);
    requests.end(JSON.stringify(request));
    const source = feed(child, stdin, kill);
    // Not for the source: it may be silent for ever, and nobody listens any more.
    const [answer, said, how] = await Promise.all([text(results), text(child.stderr), ended]);
    if (signal?.aborted) throw cancelled(operation, signal);
    // The source's own failure explains better what the process saw as an early end.
    if (source.failure) throw source.failure.error;
    return parse<T>(operation, answer, said, how);
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

/** A source, and what went wrong in it; that the process stopped reading is the process's business. */
interface Feeding {
  failure?: { readonly error: unknown };
}

function feed(child: ChildProcess, source: RootfsOptions["stdin"], kill: () => void): Feeding {
  const feeding: Feeding = {};
  if (source === undefined || typeof source === "number" || !child.stdin) return feeding;
  async function* watched(bytes: ByteStream): AsyncGenerator<Uint8Array> {
    const iterator = bytes[Symbol.asyncIterator]();
    const next = () =>
      iterator.next().catch((error: unknown) => {
        feeding.failure = { error };
        kill();
        throw error;
      });
    try {
      for (let step = await next(); !step.done; step = await next()) yield step.value;
    } finally {
      // Also when the pipeline breaks: that throws in here, at the `yield`, and is no failure of the source.
      await iterator.return?.();
    }
  }
  const input = Readable.from(watched(source), { objectMode: false });
  // The pipeline listens only as long as it runs; the broken pipe may be told once more after that.
  quiet(child.stdin);
  quiet(input);
  // A failure is in `feeding`, or the process ended early and its result says why.
  pipeline(input, child.stdin).catch(() => undefined);
  return feeding;
}

async function text(stream: Readable | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** A process that dies before reading its request makes the write fail; how it died is told by its status. */
function quiet(stream: Readable | Writable): void {
  stream.on("error", () => undefined);
}

function parse<T>(operation: string, answer: string, said: string, how: string): T {
  if (how !== "status 0" || !answer.endsWith("\n")) {
    throw new RamekinError("INTERNAL", `ramekin-rootfs ${operation} ended with ${how}${said ? `: ${said.trim()}` : ""}`);
  }
  const message: { ok: T } | { error: { code: ErrorCode; message: string; hint?: string } } = JSON.parse(answer);
  if ("ok" in message) return message.ok;
  const { code, message: reason, hint } = message.error;
  throw new RamekinError(code, reason, hint === undefined ? {} : { hint });
}
