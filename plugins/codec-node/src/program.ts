import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cancellable, limited } from "@ramekin/archive/framing";
import { type ByteStream, type Codec, RamekinError, type Support } from "@ramekin/core";

/** A format that Node does not have, decoded by the program of that name, as Docker does with xz. Nothing is encoded in it. */
export function programCodec(format: string, magic: readonly number[]): Codec {
  return {
    format,
    detect: (firstBytes) => magic.every((byte, index) => firstBytes[index] === byte),
    decode: (source, { maxOutput, signal } = {}) => limited(decoded(format, source, signal), maxOutput, `${format} stream`),
  };
}

/** Whether the machine has it, which only its start can tell. */
export async function probeProgram(program: string): Promise<Support> {
  const child = spawn(program, ["--version"], { stdio: "ignore" });
  const ended = once(child, "close");
  try {
    await Promise.all([once(child, "spawn"), ended]);
    return { ok: true, rank: 20 };
  } catch {
    return { ok: false, reason: `the program ${program} cannot be run`, hint: `install ${program}` };
  }
}

async function* decoded(program: string, source: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ["--decompress", "--stdout"], { stdio: ["pipe", "pipe", "pipe"] });
  const started = once(child, "spawn");
  const ended = once(child, "close");
  ended.catch(() => undefined);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-1000);
  });
  /** Of the source, or of the signal; not of the pipe. */
  let failure: unknown;
  const feed = async () => {
    const iterator = cancellable(source, signal)[Symbol.asyncIterator]();
    const watched = (async function* () {
      try {
        for (;;) {
          const next = await iterator.next().catch((error: unknown) => {
            failure = error;
            throw error;
          });
          if (next.done) return;
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    })();
    // A program that has seen enough closes its end: its exit status says what that means.
    await pipeline(Readable.from(watched, { objectMode: false, highWaterMark: 256 << 10 }), child.stdin).catch(() => {
      if (failure !== undefined) child.kill("SIGKILL");
    });
  };
  try {
    await started.catch((cause: unknown) => {
      throw new RamekinError("UNSUPPORTED", `${program} cannot be run`, { cause, hint: `install ${program}` });
    });
    const feeding = feed();
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [code] = (await ended) as [number | null];
    await feeding;
    if (failure !== undefined) throw failure;
    if (code !== 0) throw new RamekinError("DATA_LOSS", `${program}: ${reason(said) || `ended with ${code}`}`);
  } finally {
    child.stdout.destroy();
    child.stdin.destroy();
    child.kill("SIGKILL");
  }
}

/** `xz: (stdin): Unexpected end of input`, and the first line of what bzip2 says, which is a page. */
const reason = (said: string) =>
  (said.trim().split("\n")[0] ?? "")
    .replace(/^(xz|bzip2): (\(stdin\): )?/, "")
    .replace(/\p{C}+/gu, " ")
    .trim();
