import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type CreateOptions, isRamekinError, RamekinError } from "@ramekin/core";
import { answerOf } from "./answer.ts";
import { cancelled, throwIfAborted } from "./connection.ts";
import type { Message } from "./frame.ts";
import type { RunDirectory } from "./run-directory.ts";

/** Resolves with the container's pid once it is created. If it rejects, the supervisor has undone everything, or we have. */
export async function startSupervisor(
  program: string,
  run: RunDirectory,
  { signal, descriptors }: Pick<CreateOptions, "signal" | "descriptors"> = {},
): Promise<{ readonly pid?: number }> {
  throwIfAborted(signal, `create ${run.shim.id}`);
  const child = launch(program, [run.path], run.path, descriptors);
  const abort = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const { pid } = answerOf(await readiness(child, run.path));
    return typeof pid === "number" ? { pid } : {};
  } catch (error) {
    // An answer means that it has undone everything itself; a supervisor that died without one could not.
    if (!isRamekinError(error) || isRamekinError(error, "INTERNAL")) await cleanUp(program, run).catch(() => {});
    throw signal?.aborted ? cancelled(`create ${run.shim.id}`) : error;
  } finally {
    signal?.removeEventListener("abort", abort);
    release(child);
  }
}

/**
 * Does what a supervisor that was killed would have done when its container had ended, and kills that first. UNAVAILABLE while
 * there is a supervisor.
 */
export async function cleanUp(program: string, run: RunDirectory): Promise<void> {
  const child = launch(program, ["--cleanup", run.path], run.path);
  try {
    answerOf(await readiness(child, run.path));
    if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once("exit", resolve));
  } finally {
    release(child);
  }
}

/** In a session of its own, so that no terminal's signals reach it; with nothing of ours but the search path. */
function launch(program: string, args: readonly string[], directory: string, descriptors: readonly number[] = []): ChildProcess {
  const log = openSync(join(directory, "shim.log"), "a", 0o600);
  try {
    return spawn(program, args, {
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      stdio: ["ignore", "ignore", log, "pipe", ...descriptors],
    });
  } finally {
    closeSync(log);
  }
}

/** The line on descriptor 3; INTERNAL, with the end of the log, when the process ends without one. */
async function readiness(child: ChildProcess, directory: string): Promise<Message> {
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", (cause) => reject(new RamekinError("UNSUPPORTED", `cannot run ${child.spawnfile}: ${cause.message}`, { cause })));
    child.once("exit", (code, signal) => resolve(signal ?? `status ${code}`));
  });
  ended.catch(() => {}); // awaited below, unless the line comes first
  const lines = child.stdio[3] as Readable;
  let text = "";
  const line = (async () => {
    for await (const chunk of lines) {
      text += String(chunk);
      const end = text.indexOf("\n");
      if (end >= 0) return text.slice(0, end);
    }
    return undefined;
  })();
  line.catch(() => {});
  const answer = await Promise.race([line, ended.then(() => line)]);
  if (answer !== undefined) return JSON.parse(answer) as Message;
  const log = await readFile(join(directory, "shim.log"), "utf8").catch(() => "");
  throw new RamekinError("INTERNAL", `${child.spawnfile} ended with ${await ended}${log && `: ${log.trim().slice(-500)}`}`);
}

/** It goes on without us, and we without it. */
function release(child: ChildProcess): void {
  (child.stdio[3] as Readable | null)?.destroy();
  child.unref();
}
