import type { Attachment, ExitStatus, WindowSize } from "@ramekin/core";

export interface Scripted {
  readonly attachment: Attachment;
  /** What arrived on the process's stdin. */
  readonly received: () => string;
  readonly stdinClosed: () => boolean;
  readonly sizes: readonly WindowSize[];
  readonly detached: () => boolean;
}

/** A process that writes what it is told to and ends; with `echo`, it waits for the end of its stdin and writes that back. */
export function scripted({ stdout = "", stderr = "", echo = false, endless = false } = {}): Scripted {
  const chunks: Uint8Array[] = [];
  const end = Promise.withResolvers<void>();
  const sizes: WindowSize[] = [];
  let closed = false;
  let detached = false;
  const received = () => Buffer.concat(chunks).toString();
  async function* output() {
    if (stdout !== "") yield Buffer.from(stdout);
    if (echo) await end.promise;
    if (endless) await new Promise(() => {});
    if (echo) yield Buffer.from(received());
  }
  async function* errors() {
    if (stderr !== "") yield Buffer.from(stderr);
  }
  return {
    received,
    sizes,
    stdinClosed: () => closed,
    detached: () => detached,
    attachment: {
      stdin: new WritableStream<Uint8Array>({
        write: (chunk) => void chunks.push(chunk.slice()),
        close: () => {
          closed = true;
          end.resolve();
        },
      }),
      stdout: output(),
      stderr: errors(),
      resize: async (size) => void sizes.push(size),
      detach: async () => {
        detached = true;
      },
      async [Symbol.asyncDispose]() {},
    },
  };
}

export const exited = (code: number, more: Partial<ExitStatus> = {}): ExitStatus => ({ code, exitedAt: new Date(), ...more });
