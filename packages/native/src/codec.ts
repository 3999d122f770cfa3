import { type ByteStream, type DecodeOptions, type EncodeOptions, type ErrorCode, RamekinError } from "@ramekin/core";
import { addon, type NativeTransform } from "./addon.ts";
import { cancelled } from "./errors.ts";
import { buffersMade } from "./garbage.ts";

export type NativeFormat = "gzip" | "zstd";

/** On a Rust thread; all members and frames, zeros behind them as padding. */
export function decodeStream(format: NativeFormat, source: ByteStream, options: DecodeOptions = {}): ByteStream {
  return transform(`decoding ${format}`, source, options.signal, () => addon().Transform.decoder(format, options.maxOutput));
}

/** On a Rust thread; bytes may differ between versions, so UNSUPPORTED when they must not. */
export function encodeStream(format: NativeFormat, source: ByteStream, options: EncodeOptions = {}): ByteStream {
  if (options.reproducible) throw new RamekinError("UNSUPPORTED", `native ${format} promises no reproducible bytes`);
  return transform(`encoding ${format}`, source, options.signal, () => addon().Transform.encoder(format, options.level));
}

async function* transform(
  what: string,
  source: ByteStream,
  signal: AbortSignal | undefined,
  start: () => NativeTransform,
): AsyncGenerator<Uint8Array> {
  if (signal?.aborted) throw cancelled(what, signal);
  const native = start();
  const cancel = () => native.cancel();
  signal?.addEventListener("abort", cancel);
  const feeding = feed(native, source);
  try {
    for (let chunk = await next(native, what); chunk; chunk = await next(native, what)) {
      buffersMade(chunk.byteLength);
      yield chunk;
      if (signal?.aborted) break;
    }
    if (signal?.aborted) throw cancelled(what, signal);
    const failed = await feeding;
    if (failed) throw failed.error;
  } finally {
    signal?.removeEventListener("abort", cancel);
    native.cancel();
  }
}

/** Resolves with the source's own failure; then the transform ends as if it had been cancelled. */
async function feed(native: NativeTransform, source: ByteStream): Promise<{ readonly error: unknown } | undefined> {
  try {
    for await (const chunk of source) if (!(await native.write(chunk))) break;
    native.end();
    return undefined;
  } catch (error) {
    native.cancel();
    return { error };
  }
}

async function next(native: NativeTransform, what: string): Promise<Uint8Array | null> {
  try {
    return await native.read();
  } catch (error) {
    const [, code, message] = /^([A-Z_]+): (.*)$/s.exec((error as Error).message) ?? [];
    throw new RamekinError((code ?? "INTERNAL") as ErrorCode, `${what}: ${message ?? (error as Error).message}`, { cause: error });
  }
}
