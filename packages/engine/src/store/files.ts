import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type ErrorCode, RamekinError } from "@ramekin/core";
import { randomHex } from "@ramekin/native";

/**
 * A file that is not there is `undefined`: for whatever may come and go. Small files of our own are read and written at once:
 * the thread pool's round trip costs several times the system calls, and a start makes a dozen of them.
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw fileError(error, path);
  }
}

/** JSON with an object at the top; DATA_LOSS for anything else. */
export async function readJsonIfThere<T extends object>(path: string): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  } catch (error) {
    throw new RamekinError("DATA_LOSS", `${path} is not JSON`, { cause: error });
  }
  throw new RamekinError("DATA_LOSS", `${path} holds no object`);
}

/**
 * Readers see the old content or the new, never a part. `durable` survives a power cut too, at the price of two fsyncs:
 * for named state, not for what a reboot voids anyway.
 */
export async function replaceFile(path: string, content: string, options: { readonly durable?: boolean } = {}): Promise<void> {
  const temporary = `${path}.${randomHex(6)}.tmp`;
  try {
    if (options.durable) {
      await using file = await open(temporary, "wx", 0o600);
      await file.writeFile(content);
      await file.sync();
      await rename(temporary, path);
    } else {
      writeFileSync(temporary, content, { flag: "wx", mode: 0o600 });
      renameSync(temporary, path);
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the one that tells; a *.tmp is garbage to everybody
    throw fileError(error, path);
  }
  if (options.durable) await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  EEXIST: "ALREADY_EXISTS",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  EIO: "DATA_LOSS",
};

/** An error of the file system in our terms; others pass as they are. */
export function fileError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = code !== undefined && codes[code];
  if (!known) return error;
  const hint =
    known === "RESOURCE_EXHAUSTED" && code !== "EMFILE" ? "free some space; `ramekin rm` and `ramekin rmi` work on a full disk" : undefined;
  return new RamekinError(known, `${path}: ${message}`, { cause: error, ...(hint !== undefined && { hint }) });
}
