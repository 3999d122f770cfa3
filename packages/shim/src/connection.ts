import { closeSync, constants, openSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { isRamekinError, RamekinError } from "@ramekin/core";
import { answerOf } from "./answer.ts";
import { controlFrame, frameReader, type Message } from "./frame.ts";

/** Nobody answers: the supervisor has ended, or was killed. `accepted`: it was there when we came. */
export class Gone extends Error {
  override readonly name = "Gone";
  readonly accepted: boolean;
  constructor(directory: string, accepted: boolean) {
    super(`no supervisor in ${directory}`);
    this.accepted = accepted;
  }
}

/** Rejects with `Gone` when nobody listens. */
export async function connect(directory: string, signal?: AbortSignal): Promise<Socket> {
  throwIfAborted(signal, directory);
  // The path of a socket is limited to 108 bytes, that of a directory is not: so through a descriptor of it.
  let descriptor: number;
  try {
    descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (isAbsent(error)) throw new Gone(directory, false);
    throw error;
  }
  const socket = connectSocket({ path: `/proc/self/fd/${descriptor}/sock` });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
  } catch (error) {
    if (isAbsent(error)) throw new Gone(directory, false);
    // It closed its socket with us in the queue (unix_release_sock resets those).
    if ((error as NodeJS.ErrnoException).code === "ECONNRESET") throw new Gone(directory, true);
    throw new RamekinError("UNAVAILABLE", `no connection to the supervisor in ${directory}: ${(error as Error).message}`, { cause: error });
  } finally {
    closeSync(descriptor);
  }
  if (signal?.aborted) socket.destroy(); // meanwhile: whoever listens to the signal from now on hears no event
  throwIfAborted(signal, directory);
  return socket;
}

/** One request, one answer, as one connection. Rejects with the supervisor's error, `Gone` or CANCELLED. */
export async function request(
  directory: string,
  message: Message,
  options: { readonly signal?: AbortSignal | undefined; readonly untilClosed?: boolean; readonly onSent?: () => void } = {},
): Promise<Message> {
  const socket = await connect(directory, options.signal);
  try {
    const answer = await new Promise<Message>((resolve, reject) => {
      const take = frameReader({ data() {}, control: resolve });
      socket.on("data", (chunk) => attemptTo(() => take(chunk), reject));
      // A reset is how a killed supervisor's socket ends when it had not read all: it is gone, all the same.
      socket.once("error", () => reject(new Gone(directory, true)));
      socket.once("close", () => reject(new Gone(directory, true)));
      onAbort(socket, options.signal, () => reject(cancelled(directory)));
      socket.write(controlFrame({ v: 1, ...message }));
      options.onSent?.();
    });
    const ok = answerOf(answer);
    if (options.untilClosed && !socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    return ok;
  } finally {
    socket.destroy();
  }
}

export function cancelled(what: string): RamekinError {
  return new RamekinError("CANCELLED", `cancelled: ${what}`);
}

export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw cancelled(what);
}

/** For as long as the socket is open. */
function onAbort(socket: Socket, signal: AbortSignal | undefined, act: () => void): void {
  if (!signal) return;
  signal.addEventListener("abort", act, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", act));
}

function attemptTo(work: () => void, failed: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    failed(error);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTDIR";
}

export function isGone(error: unknown): error is Gone {
  return error instanceof Gone && !isRamekinError(error);
}
