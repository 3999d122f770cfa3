import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type ErrorCode, RamekinError } from "@ramekin/core";
import { buffersMade } from "@ramekin/native";

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  EIO: "DATA_LOSS",
};

/** A failed system call as our error, naming the path; anything else as it is. */
export function fileError(error: unknown, what: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const hint = code === "ENOSPC" || code === "EDQUOT" ? { hint: "free some space, then try again: what was written is kept" } : {};
  return new RamekinError(codes[code] ?? "INTERNAL", `${what}: ${code}`, { cause: error, ...hint });
}

/** `ENOENT` and the like. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error ? error.code : undefined;
}

/** Resolves with `otherwise` if there is no such file. */
export async function unlessAbsent<T, U>(found: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await found;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return otherwise;
    throw error;
  }
}

/** What makes a rename or a new name survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** All of `chunk`: write(2) may take less. */
export async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, position + done);
    done += bytesWritten;
  }
}

/**
 * A file of a few kilobytes, at once; undefined when there is more of it. Manifests and configurations are read at every start,
 * and the thread pool's round trips take longer than that.
 */
export function readSmall(path: string): Uint8Array | undefined {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size > 64 << 10) return undefined;
    const bytes = Buffer.allocUnsafeSlow(size);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** A range of an open file, in chunks that are the receiver's to keep. */
export async function* readRange(file: FileHandle, start: number, end: number, check: () => void = () => {}): AsyncGenerator<Uint8Array> {
  const chunkSize = 256 << 10;
  for (let position = start; position < end; ) {
    check();
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    buffersMade(chunk.byteLength);
    yield chunk.subarray(0, bytesRead);
  }
}
