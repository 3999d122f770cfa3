import type { Socket } from "node:net";
import { type Attachment, RamekinError } from "@ramekin/core";
import { answerOf } from "./answer.ts";
import { cancelled, connect, Gone } from "./connection.ts";
import { type Channel, channel, controlFrame, frameHeader, frameReader, type Message, maxPayload } from "./frame.ts";
import { type Inbox, inbox } from "./inbox.ts";

/**
 * Flow control. stdout and stderr share a socket, so to hold one back holds back both, and the process. Hence:
 * - While no reader wants for bytes, the socket is paused once `comfortable` bytes wait.
 * - While one does (it has read all and asks for more), the other stream's bytes are taken in up to `bound`. Beyond it,
 *   a stream that somebody reads, slowly, holds the socket back: that is backpressure, and he will be back.
 *   One that nobody has begun to read would hold it back for ever: it is given up, its bytes are dropped, and whoever
 *   comes to read it later is told so by RESOURCE_EXHAUSTED. The log still has them.
 */
const comfortable = 256 << 10;
const bound = 4 << 20;

/** `Gone` when there is no supervisor to attach to. */
export async function attachTo(directory: string, execId: string | undefined, signal?: AbortSignal): Promise<Attachment> {
  const socket = await connect(directory, signal);
  const lost = new RamekinError("UNAVAILABLE", `the supervisor in ${directory} is gone`);
  const stdout = inbox("stdout", flow);
  const stderr = inbox("stderr", flow);
  const inboxes: readonly Inbox[] = [stdout, stderr];
  const stdin = stdinOf(socket);
  const first = answerSlot();
  let answered = false;

  function flow(): void {
    const waiting = inboxes.some(({ hungry }) => hungry);
    if (waiting) for (const box of inboxes) if (box.reader === "untouched" && box.queued > bound) box.overflow();
    const full = waiting
      ? inboxes.some(({ reader, queued }) => reader === "reading" && queued > bound)
      : stdout.queued + stderr.queued > comfortable;
    if (full !== socket.isPaused()) {
      if (full) socket.pause();
      else socket.resume();
    }
  }
  const finish = (error?: RamekinError) => {
    for (const box of inboxes) error ? box.fail(error) : box.end();
    stdin.close(error ?? new RamekinError("FAILED_PRECONDITION", "the process has ended"));
    socket.destroy();
  };

  const take = frameReader({
    data(from, bytes) {
      if (from === channel.stdout) stdout.push(bytes);
      else if (from === channel.stderr) stderr.push(bytes);
    },
    control(message) {
      if (!answered) {
        answered = true;
        first.resolve(message);
      } else if (message["eof"] === "stdout") stdout.end();
      else if (message["eof"] === "stderr") stderr.end();
      else if (message["eof"] === "stdin") stdin.close(new RamekinError("FAILED_PRECONDITION", "the process has closed stdin"));
      else if (message["exit"] !== undefined) finish();
    },
  });
  socket.on("data", (chunk) => {
    try {
      take(chunk);
    } catch (error) {
      finish(error as RamekinError);
    }
    if (!socket.destroyed) flow();
  });
  socket.on("error", () => {}); // "close" follows
  socket.on("close", () => {
    finish(lost);
    first.reject(new Gone(directory, true));
  });

  const abort = () => {
    first.reject(cancelled(directory));
    socket.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  socket.write(controlFrame({ v: 1, op: "attach", ...(execId !== undefined && { exec: execId }) }));
  try {
    const { terminal, stdin: input } = answerOf(await first.promise);
    if (input === "closed") stdin.close(new RamekinError("FAILED_PRECONDITION", "stdin is closed"));
    const detach = async () => finish();
    return {
      stdin: stdin.stream,
      stdout: stdout.stream,
      ...(terminal !== true && { stderr: stderr.stream }),
      resize: async ({ rows, columns }) => void (await send(socket, controlFrame({ resize: { rows, columns } }))),
      detach,
      [Symbol.asyncDispose]: detach,
    };
  } catch (error) {
    finish();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function answerSlot() {
  let resolve: (message: Message) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Message>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A write resolves when the kernel has the bytes: what has resolved is not lost by `detach`. */
function stdinOf(socket: Socket): { readonly stream: WritableStream<Uint8Array>; close(reason: RamekinError): void } {
  let refused: RamekinError | undefined;
  let control: WritableStreamDefaultController | undefined;
  const stream = new WritableStream<Uint8Array>(
    {
      start(controller) {
        control = controller;
      },
      async write(bytes) {
        for (let at = 0; at < bytes.length; at += maxPayload) {
          if (refused) throw refused;
          const piece = bytes.subarray(at, at + maxPayload);
          socket.cork();
          socket.write(frameHeader(channel.stdin satisfies Channel, piece.length));
          const sent = send(socket, piece);
          socket.uncork();
          await sent.catch((cause: unknown) => {
            throw refused ?? new RamekinError("UNAVAILABLE", "the connection to the process is closed", { cause });
          });
        }
      },
      async close() {
        if (!refused) await send(socket, controlFrame({ eof: "stdin" })).catch(() => {}); // no connection: no stdin to close
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 64 << 10 }),
  );
  return {
    stream,
    close(reason) {
      if (refused) return;
      refused = reason;
      control?.error(reason);
    },
  };
}

function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
}
