import { chmodSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type {
  CleanupOperation,
  EventJournal,
  IdMapping,
  LogWriterSpec,
  Mount,
  MountSource,
  Partner,
  SecretVariable,
  Supervision,
} from "@ramekin/core";
import { RamekinError } from "@ramekin/core";
import { currentProcess, isAlive, type ProcessId } from "./process-id.ts";

/** The supervisor's input (ARCHITECTURE.md, "ramekin-shim RUN_DIRECTORY"). */
export interface ShimFile {
  readonly version: 1;
  readonly id: string;
  readonly bundle: string;
  readonly stateFile: string;
  readonly launcher: { readonly argv: readonly string[]; readonly options: readonly string[] };
  readonly rootfs: readonly Mount[];
  /** Owners in `rootfs` are ids of the user namespace with these maps. */
  readonly idMap?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
  readonly sources?: readonly MountSource[];
  readonly variables?: readonly SecretVariable[];
  readonly partners?: readonly Partner[];
  /** How many, from 4 on. */
  readonly descriptors?: number;
  readonly io: { readonly terminal: boolean; readonly stdin: "closed" | "once" | "open"; readonly log: LogWriterSpec };
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly cgroup?: string;
  readonly userns?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
  readonly events?: EventJournal;
  readonly supervision?: ShimSupervision;
  readonly cleanup: readonly CleanupOperation[];
}

export type ShimSupervision = Omit<Supervision, "stop"> & { readonly stop?: { readonly signal: number; readonly timeoutMs: number } };

/** `<runRoot>/containers/<id>/`: ours to make and remove, the supervisor's in between. */
export interface RunDirectory {
  readonly path: string;
  readonly shim: ShimFile;
}

const validId = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** INVALID_ARGUMENT for an id that is no plain file name: it becomes part of paths. */
export function checkId(id: string): void {
  if (!validId.test(id)) throw new RamekinError("INVALID_ARGUMENT", `bad container id ${JSON.stringify(id)}`);
}

/**
 * Appears with all that belongs in it, at once, marked as being made by this process until `made`. ALREADY_EXISTS when there is one.
 * Synchronous: a few small files on tmpfs cost less than the thread pool's round trips, and this is on the way of every start.
 */
export function makeRunDirectory(base: string, shim: ShimFile, { traversable = false } = {}): RunDirectory {
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const path = join(base, shim.id);
  const draft = join(base, `.new-${shim.id}`);
  makeDraft(draft);
  // The root of a user namespace has to get through to its root file system; what else is here stays ours alone.
  if (traversable) for (const directory of [dirname(base), base, draft]) letThrough(directory);
  writeFileSync(join(draft, "creating"), JSON.stringify(currentProcess()), { mode: 0o600 });
  writeFileSync(join(draft, "shim.json"), JSON.stringify(shim), { mode: 0o600 });
  try {
    renameSync(draft, path);
  } catch (error) {
    removeDraft(draft);
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    throw new RamekinError("ALREADY_EXISTS", `container ${shim.id} exists in ${base}`, { hint: "delete it first" });
  }
  return { path, shim };
}

/** One that only we may enter; others are the machine's to say. What is in it can be entered by name then, not listed. */
function letThrough(directory: string): void {
  if ((statSync(directory).mode & 0o777) === 0o700) chmodSync(directory, 0o711);
}

function makeDraft(draft: string): void {
  try {
    mkdirSync(draft, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (creatorIn(draft)) throw new RamekinError("ALREADY_EXISTS", `another process is making ${draft}`);
    removeDraft(draft); // of a process that was killed right there
    mkdirSync(draft, { mode: 0o700 });
  }
}

function removeDraft(draft: string): void {
  for (const name of ["creating", "shim.json"]) unlessAbsent(() => unlinkSync(join(draft, name)));
  unlessAbsent(() => rmdirSync(draft));
}

function unlessAbsent(work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** The supervisor has answered that the container is there: from now on it speaks for it. */
export function made({ path }: RunDirectory): void {
  unlessAbsent(() => unlinkSync(join(path, "creating")));
}

/** Somebody, alive, is making this container. */
export function isBeingMade({ path }: RunDirectory): boolean {
  return creatorIn(path);
}

function creatorIn(path: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(join(path, "creating"), "utf8")) as ProcessId);
  } catch {
    return false; // none, or one that was killed while it wrote
  }
}

/** `undefined` for an unknown id. */
export async function openRunDirectory(base: string, id: string): Promise<RunDirectory | undefined> {
  checkId(id);
  const path = join(base, id);
  try {
    return { path, shim: JSON.parse(await readFile(join(path, "shim.json"), "utf8")) as ShimFile };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new RamekinError("DATA_LOSS", `cannot read ${join(path, "shim.json")}`, { cause: error });
  }
}

/** All of it, after the supervisor has ended; idempotent. */
export async function removeRunDirectory({ path }: Pick<RunDirectory, "path">): Promise<void> {
  try {
    // Only the supervisor sees a file system mounted there. Should one show through all the same, this fails, and nothing in it
    // is deleted.
    await rmdir(join(path, "rootfs"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT")
      throw new RamekinError("FAILED_PRECONDITION", `${join(path, "rootfs")} is not an empty directory`, { cause: error });
  }
  await rm(path, { recursive: true, force: true });
}
