import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { type ExitStatus, RamekinError } from "@ramekin/core";
import type { ContainerConfig, ContainerStatus } from "../api.ts";
import type { Scope } from "../scope.ts";
import { fileError, isGone, readJsonIfThere } from "./files.ts";
import { tryLockFile } from "./lock.ts";
import { holderOf, idsBeginning } from "./names.ts";
import type { Paths } from "./paths.ts";
import { type ReadState, readState } from "./state.ts";

/** What is known of a container at one moment. */
export interface Current {
  readonly config: ContainerConfig;
  readonly status: ContainerStatus;
  readonly state: ReadState;
}

const noSuch = (nameOrId: string) => new RamekinError("NOT_FOUND", `no such container: ${nameOrId}`);

/** By name, by id, or by the beginning of one. */
export async function findContainer(paths: Paths, nameOrId: string): Promise<ContainerConfig> {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(nameOrId)) {
    const holder = await holderOf(paths, nameOrId);
    const held = holder === undefined ? undefined : await readConfigIfThere(paths, holder);
    if (held?.name === nameOrId) return held; // else a crash has cut a renaming short
  }
  if (!/^[0-9a-f]{1,64}$/.test(nameOrId)) throw noSuch(nameOrId);
  const ids = nameOrId.length === 64 ? [nameOrId] : await idsBeginning(paths, nameOrId);
  if (ids.length > 1) {
    throw new RamekinError("INVALID_ARGUMENT", `${nameOrId} is the beginning of ${ids.length} container ids`, {
      hint: ids.map((id) => id.slice(0, 12)).join(", "),
    });
  }
  const config = ids[0] === undefined ? undefined : await readConfigIfThere(paths, ids[0]);
  if (!config) throw noSuch(nameOrId);
  return config;
}

export async function readConfig(paths: Paths, id: string): Promise<ContainerConfig> {
  const config = await readConfigIfThere(paths, id);
  if (!config) throw noSuch(id.slice(0, 12));
  return config;
}

export async function readConfigIfThere(paths: Paths, id: string): Promise<ContainerConfig | undefined> {
  const path = paths.container(id).config;
  const config = await readJsonIfThere<ContainerConfig>(path);
  if (config && config.version !== 1)
    throw new RamekinError("UNSUPPORTED", `${path} has version ${String(config.version)}, this ramekin knows 1`);
  return config;
}

export async function allIds(paths: Paths): Promise<readonly string[]> {
  return idsBeginning(paths, "");
}

/** What is true now. A container whose supervisor has died is put right on the way. */
export async function currentState(scope: Scope, config: ContainerConfig): Promise<Current> {
  const paths = scope.paths.container(config.id);
  let state = await readState(paths);
  if (state.liveness === "lost") {
    const isolation = await scope.kernel.use("isolation", config.isolation.driver);
    await isolation.state(config.id);
    state = await readState(paths);
    if (state.liveness === "lost") state = { ...state, liveness: "ended", exit: lost() };
  }
  // Without a state it has never run, or is gone: it removes itself, or somebody else has.
  if (state.liveness === "never-started" && !(await isThere(paths.config))) throw noSuch(config.name);
  return { config, state, status: await statusOf(config, state, paths.removing, paths.lock) };
}

async function statusOf(config: ContainerConfig, { liveness, file }: ReadState, removing: string, lock: string): Promise<ContainerStatus> {
  if (liveness === "live") return liveStatus(file?.status);
  if (await isThere(removing)) {
    // Who removes holds the lock; if nobody does, it has failed.
    const free = await tryLockFile(lock).catch(() => undefined);
    await free?.[Symbol.asyncDispose]();
    return free ? "dead" : "removing";
  }
  if (liveness === "never-started") return "created";
  return config.options.autoRemove ? "removing" : "exited";
}

function liveStatus(status: string | undefined): ContainerStatus {
  return status === "paused" || status === "created" || status === "restarting" ? status : "running";
}

/** It runs, or will again without anybody's doing. */
export const isLive = (status: ContainerStatus): boolean => status === "running" || status === "paused" || status === "restarting";

const lost = (): ExitStatus => ({ code: 137, signal: "SIGKILL", error: "monitor lost", exitedAt: new Date() });

export async function isThere(path: string): Promise<boolean> {
  try {
    // At once, and without an exception for what is mostly not there: `ps` asks it for every container.
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Names of what is in a directory; none when it is not there. */
export async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isGone(error)) return [];
    throw fileError(error, path);
  }
}
