import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { randomHex, removeTree } from "@ramekin/native";
import { entriesOf, isThere } from "./containers.ts";
import { fileError, isGone, readJsonIfThere, replaceFile, syncDirectory } from "./files.ts";
import { withLock } from "./lock.ts";
import type { Paths } from "./paths.ts";

/** `<root>/volumes/<name>/volume.json`, written once. */
export interface VolumeFile {
  readonly version: 1;
  readonly name: string;
  readonly driver: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

export interface VolumePaths {
  readonly directory: string;
  readonly file: string;
  readonly data: string;
  /** A file for each container that has it, named by its id. */
  readonly holders: string;
  /** For whoever fills or mounts it. */
  readonly lock: string;
  /** There while the image's content comes: what is in `data` is a part of it. */
  readonly filling: string;
}

export function volumePaths(paths: Paths, name: string): VolumePaths {
  const directory = join(paths.volumes, name);
  return {
    directory,
    file: join(directory, "volume.json"),
    data: join(directory, "_data"),
    holders: join(directory, "holders"),
    lock: join(directory, ".lock"),
    filling: join(directory, ".filling"),
  };
}

/** Docker's words: whoever means a path reads what to do. */
export function checkVolumeName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 200) return;
  if (name.length === 1)
    throw new RamekinError(
      "INVALID_ARGUMENT",
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  throw new RamekinError(
    "INVALID_ARGUMENT",
    `create ${name.slice(0, 80)}: ${JSON.stringify(name.slice(0, 80))} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    { hint: "to mount a directory of the host, use an absolute path" },
  );
}

export const noSuchVolume = (name: string): RamekinError => new RamekinError("NOT_FOUND", `get ${name}: no such volume`);

/**
 * A volume comes whole by one rename, and goes by the removal of `holders`, which works only while nobody holds it and lets nobody
 * come to hold it any more. So to take one needs no lock, and what a crash leaves is garbage: `.new-…`, `.gone-…`, or a volume
 * without `holders`, which the next one to come upon it removes. A name is given and taken away under `volumes/.lock`: else one who
 * was slow between two steps would take away what somebody else has made under that name since.
 */
export async function makeVolume(paths: Paths, file: VolumeFile): Promise<boolean> {
  const fresh = join(paths.volumes, `.new-${randomHex(16)}`);
  try {
    await mkdir(paths.volumes, { recursive: true, mode: 0o700 });
    mkdirSync(fresh, { mode: 0o700 });
    mkdirSync(join(fresh, "_data"), { mode: 0o755 });
    mkdirSync(join(fresh, "holders"), { mode: 0o700 });
    writeFileSync(join(fresh, ".lock"), "", { mode: 0o600 });
    await replaceFile(join(fresh, "volume.json"), `${JSON.stringify(file)}\n`, { durable: !file.anonymous });
    const { made, remains } = await underLock(paths, async () => {
      if (await isThere(volumePaths(paths, file.name).holders)) return { made: false, remains: undefined };
      const found = await renameAway(paths, file.name);
      renameSync(fresh, join(paths.volumes, file.name));
      return { made: true, remains: found };
    });
    if (remains !== undefined) await removeTree(paths.volumes, remains);
    if (!made) return false;
    if (!file.anonymous) await syncDirectory(paths.volumes);
    return true;
  } catch (error) {
    throw fileError(error, join(paths.volumes, file.name));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** One that is on its way out does not count. */
export async function readVolume(paths: Paths, name: string): Promise<VolumeFile | undefined> {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined;
  const { file: path, holders } = volumePaths(paths, name);
  const file = await readJsonIfThere<VolumeFile>(path);
  if (!file || !(await isThere(holders))) return undefined;
  if (file.version !== 1) throw new RamekinError("UNSUPPORTED", `${path} has version ${String(file.version)}, this ramekin knows 1`);
  return file;
}

export async function volumeNames(paths: Paths): Promise<readonly string[]> {
  return (await entriesOf(paths.volumes)).filter((entry) => !entry.startsWith(".")).sort();
}

/** False when there is no such volume. The container's directory exists before: a holder without one is garbage. */
export function holdVolume(paths: Paths, name: string, id: string): boolean {
  const path = join(volumePaths(paths, name).holders, id);
  try {
    writeFileSync(path, "", { mode: 0o600 });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw fileError(error, path);
  }
}

/** Containers that have it and are there. */
export async function holdersOf(paths: Paths, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of await entriesOf(volumePaths(paths, name).holders)) {
    if (await isThere(paths.container(id).directory)) found.push(id);
  }
  return found;
}

export async function letGoOfVolume(paths: Paths, name: string, id: string): Promise<void> {
  await rm(join(volumePaths(paths, name).holders, id), { force: true });
}

/** Holders whose container a kill or a crash has taken. */
async function letGoOfTheDead(paths: Paths, name: string): Promise<void> {
  for (const id of await entriesOf(volumePaths(paths, name).holders)) {
    if (!(await isThere(paths.container(id).directory))) await letGoOfVolume(paths, name, id);
  }
}

/** Whether it could go: nobody has it. */
export async function removeIfFree(paths: Paths, name: string, beforeItGoes: () => Promise<void>): Promise<boolean> {
  const { holders } = volumePaths(paths, name);
  await letGoOfTheDead(paths, name);
  const gone = await underLock(paths, async () => {
    try {
      await rmdir(holders);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) return "held";
      if (!isGone(error)) throw fileError(error, holders);
    }
    await beforeItGoes();
    return renameAway(paths, name);
  });
  if (gone === "held") return false;
  if (gone !== undefined) await removeTree(paths.volumes, gone);
  return true;
}

/** What a crash has left under this name, if it has. */
async function takeAwayRemains(paths: Paths, name: string): Promise<void> {
  const gone = await underLock(paths, async () =>
    (await isThere(volumePaths(paths, name).holders)) ? undefined : renameAway(paths, name),
  );
  if (gone !== undefined) await removeTree(paths.volumes, gone);
}

const underLock = <T>(paths: Paths, work: () => Promise<T>): Promise<T> =>
  withLock(join(paths.volumes, ".lock"), { exclusive: true }, work);

/** Out of sight at once; what remains to be removed, however long that takes. */
async function renameAway(paths: Paths, name: string): Promise<string | undefined> {
  const gone = `.gone-${randomHex(16)}`;
  try {
    await rename(join(paths.volumes, name), join(paths.volumes, gone));
    return gone;
  } catch (error) {
    if (!isGone(error)) throw fileError(error, join(paths.volumes, name));
    return undefined;
  }
}

/** What crashes have left behind. */
export async function removeVolumeRemains(paths: Paths): Promise<void> {
  for (const entry of await entriesOf(paths.volumes)) {
    if (!entry.startsWith(".")) {
      await letGoOfTheDead(paths, entry);
      await takeAwayRemains(paths, entry);
    } else if (entry.startsWith(".gone-") || (entry.startsWith(".new-") && (await isStale(join(paths.volumes, entry)))))
      await removeTree(paths.volumes, entry);
  }
}

/** Somebody may be making it at this moment, which takes a few milliseconds. */
async function isStale(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > 3600_000;
}

export async function isEmptyDirectory(path: string): Promise<boolean> {
  return (await readdir(path)).length === 0;
}
