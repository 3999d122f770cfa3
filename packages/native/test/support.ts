import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory of the test's own, gone after it. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-native-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What GNU tar makes of a directory. */
export function packed(directory: string, ...flags: string[]): Buffer {
  return execFileSync("tar", ["-C", directory, ...flags, "-cf", "-", "."], { maxBuffer: 1 << 28 });
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** In pieces of `size` bytes, a tick apart: streams are seldom whole. */
export async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await new Promise(setImmediate);
  }
}
