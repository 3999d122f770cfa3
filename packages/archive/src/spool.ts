import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { buffersMade } from "@ramekin/native";
import { cancellable } from "./framing/reader.ts";

/** A nameless file in `directory`: it is gone with its handle, however this process ends. */
export async function namelessFile(directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `spool-${randomUUID()}`);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  await unlink(path);
  return file;
}

/** Bytes that come once, put where they can be read from any offset. */
export async function spool(source: ByteStream, directory: string, { signal }: Cancellable = {}): Promise<FileHandle> {
  const file = await namelessFile(directory);
  try {
    let position = 0;
    for await (const chunk of cancellable(source, signal)) position += await append(file, chunk, position);
    return file;
  } catch (error) {
    await file.close();
    throw outOfSpace(error, directory);
  }
}

/** Writes all of `chunk`; resolves with its length. */
export async function append(file: FileHandle, chunk: Uint8Array, position: number): Promise<number> {
  for (let done = 0; done < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, position + done);
    done += bytesWritten;
  }
  return chunk.byteLength;
}

/** A range of an open file, in chunks that are the receiver's to keep. */
export async function* readRange(file: FileHandle, start: number, end: number, { signal }: Cancellable = {}): AsyncGenerator<Uint8Array> {
  for (let position = start; position < end; ) {
    if (signal?.aborted) throw new RamekinError("CANCELLED", "reading was cancelled", { cause: signal.reason });
    const chunk = Buffer.allocUnsafeSlow(Math.min(256 << 10, end - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, position);
    if (bytesRead === 0) throw new RamekinError("DATA_LOSS", `the file ends at ${position}, should have ${end} bytes`);
    position += bytesRead;
    buffersMade(chunk.byteLength);
    yield chunk.subarray(0, bytesRead);
  }
}

function outOfSpace(error: unknown, directory: string): unknown {
  const full = error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
  return full ? new RamekinError("RESOURCE_EXHAUSTED", `no space left in ${directory}`, { cause: error }) : error;
}
