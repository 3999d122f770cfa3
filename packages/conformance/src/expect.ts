import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type ByteStream, type Digest, type DigestAlgorithm, type ErrorCode, isRamekinError } from "@ramekin/core";

export const rejects = (promise: Promise<unknown>, ...codes: readonly ErrorCode[]) =>
  assert.rejects(promise, (error) => {
    assert.ok(
      codes.some((code) => isRamekinError(error, code)),
      `${codes.join(" or ")} expected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return true;
  });

export async function collect(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Not `deepEqual`: its explanation of how two megabytes differ takes minutes, and all memory. */
export function sameBytes(found: Uint8Array, expected: Uint8Array, what = "the bytes"): void {
  const [a, b] = [createHash("sha256").update(found).digest("hex"), createHash("sha256").update(expected).digest("hex")];
  assert.ok(
    a === b,
    `${what}: ${found.byteLength} bytes (${a.slice(0, 12)}) are not the ${expected.byteLength} expected (${b.slice(0, 12)})`,
  );
}

export const digestFor = (bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The same bytes for the same seed: a failure can be had again. Incompressible enough. */
export function pseudoRandom(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

/** In pieces of `size`. */
export async function* pieces(bytes: Uint8Array, size = 64 << 10): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.slice(offset, offset + size);
}
