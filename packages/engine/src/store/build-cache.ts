import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type BuildLayer, type Digest, isRamekinError } from "@ramekin/core";
import { isGone, readJsonIfThere, replaceFile } from "./files.ts";
import type { Paths } from "./paths.ts";

/**
 * `<root>/build-cache/steps/<key>.json`: what a build step made, for the next one that has the same inputs. A record keeps its layer and
 * the snapshot of it from garbage collection. Contents of `RUN --mount=type=cache` are folders in `<root>/build-cache/mounts`.
 */
export interface StepRecord {
  readonly version: 1;
  readonly createdAt: string;
  /** Absent: the step changes nothing. */
  readonly layer?: BuildLayer;
  /** Of the snapshot with all layers up to this one. */
  readonly chainId?: string;
}

const stepsOf = (paths: Paths) => join(paths.buildCache, "steps");
const fileOf = (paths: Paths, key: Digest) => join(stepsOf(paths), `${key.replace(":", "-")}.json`);

export async function readStep(paths: Paths, key: Digest): Promise<StepRecord | undefined> {
  return readSound(fileOf(paths, key));
}

/** One that is damaged is as good as none: the step runs once more. */
async function readSound(path: string): Promise<StepRecord | undefined> {
  try {
    return await readJsonIfThere<StepRecord>(path);
  } catch (error) {
    if (isRamekinError(error, "DATA_LOSS")) return undefined;
    throw error;
  }
}

/** A crash may lose a record, which costs a step. */
export async function writeStep(paths: Paths, key: Digest, record: StepRecord): Promise<void> {
  await mkdir(stepsOf(paths), { recursive: true, mode: 0o700 });
  await replaceFile(fileOf(paths, key), `${JSON.stringify(record)}\n`, { durable: false });
}

/** Its time is when it was last of use: what is pruned first has not been for the longest. */
export async function touchStep(paths: Paths, key: Digest): Promise<void> {
  const now = new Date();
  await utimes(fileOf(paths, key), now, now).catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}

export async function readSteps(paths: Paths): Promise<readonly StepRecord[]> {
  const records: StepRecord[] = [];
  for (const name of await stepFiles(paths)) {
    const record = await readSound(join(stepsOf(paths), name));
    if (record) records.push(record);
  }
  return records;
}

/** Where copies of a cache mount lie, as `0`, `1` and so on. */
export const mountFolder = (paths: Paths, id: string): string =>
  join(paths.buildCache, "mounts", createHash("sha256").update(id).digest("hex"));

const noteOf = (paths: Paths, name: string) => join(paths.buildCache, "notes", name);

/** `<root>/build-cache/notes/<name>`: what is quicker to remember than to find out again, such as digests of a context's files. */
export async function readNote(paths: Paths, name: string): Promise<string | undefined> {
  try {
    return await readFile(noteOf(paths, name), "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export async function writeNote(paths: Paths, name: string, text: string): Promise<void> {
  await mkdir(noteOf(paths, ""), { recursive: true, mode: 0o700 });
  await replaceFile(noteOf(paths, name), text, { durable: false });
}

export interface ListedStep {
  readonly key: Digest;
  readonly record: StepRecord;
  readonly usedAt: Date;
}

export async function listSteps(paths: Paths): Promise<readonly ListedStep[]> {
  const steps: ListedStep[] = [];
  for (const name of await stepFiles(paths)) {
    const path = join(stepsOf(paths), name);
    const [record, info] = [await readSound(path), await stat(path).catch(() => undefined)]; // somebody prunes, too
    if (record && info) steps.push({ key: name.replace("-", ":").replace(/\.json$/, "") as Digest, record, usedAt: info.mtime });
  }
  return steps;
}

export const forgetStep = (paths: Paths, key: Digest): Promise<void> => rm(fileOf(paths, key), { force: true });

/** Those last written before `until`, or all. */
export async function forgetNotes(paths: Paths, until?: Date): Promise<void> {
  const notes = noteOf(paths, "");
  for (const name of await namesIn(notes)) {
    if (!until || (await stat(join(notes, name))).mtime < until) await rm(join(notes, name), { force: true });
  }
}

const stepFiles = async (paths: Paths) => (await namesIn(stepsOf(paths))).filter((name) => name.endsWith(".json"));

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}
