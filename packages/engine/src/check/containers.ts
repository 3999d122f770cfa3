import { isRamekinError } from "@ramekin/core";
import type { ContainerConfig } from "../api.ts";
import type { Scope } from "../scope.ts";
import { allIds, entriesOf, isThere, readConfigIfThere } from "../store/containers.ts";
import { tryLockFile } from "../store/lock.ts";
import { holderOf, releaseDeadNames, reserveName } from "../store/names.ts";
import { readState } from "../store/state.ts";
import type { StoreProblem } from "../store-api.ts";

export interface CheckedContainers {
  readonly problems: readonly StoreProblem[];
  readonly count: number;
  /** Half made or half removed: `prune` takes them. */
  readonly leftovers: number;
}

export async function checkContainers(scope: Scope, repair: boolean): Promise<CheckedContainers> {
  const problems: StoreProblem[] = [];
  let leftovers = 0;
  const ids = await allIds(scope.paths);
  for (const id of ids) {
    const found = await checkContainer(scope, id, repair);
    if (found === "leftover") leftovers++;
    else problems.push(...found);
  }
  problems.push(...(await checkNames(scope, repair)));
  return { problems, count: ids.length, leftovers };
}

/** What looks wrong is looked at again under the container's lock: it may be in the making, or on its way out. */
async function checkContainer(scope: Scope, id: string, repair: boolean): Promise<readonly StoreProblem[] | "leftover"> {
  if ((await examine(scope, id)) === undefined) return [];
  const paths = scope.paths.container(id);
  await using lock = await tryLockFile(paths.lock).catch(unlessGone);
  const found = lock && (await examine(scope, id));
  if (found === undefined || found === "leftover") return found ?? [];
  return Promise.all(found.map((problem) => (repair ? reconnect(scope, id, problem) : problem)));
}

function unlessGone(error: unknown): undefined {
  if (!isRamekinError(error, "NOT_FOUND")) throw error;
}

/** Undefined when all is well. */
async function examine(scope: Scope, id: string): Promise<readonly StoreProblem[] | "leftover" | undefined> {
  const paths = scope.paths.container(id);
  const problem = (kind: StoreProblem["kind"], message: string, name = id.slice(0, 12)): StoreProblem => ({
    kind,
    id,
    message,
    images: [],
    containers: [name],
  });
  try {
    const config = await readConfigIfThere(scope.paths, id);
    if (!config) return (await isThere(paths.directory)) ? "leftover" : undefined;
    const { liveness } = await readState(paths);
    if (!(await isThere(paths.spec)) || (await isThere(paths.removing))) return "leftover";
    const found: StoreProblem[] = [];
    const { driver, key } = config.storage;
    if (!(await hasSnapshot(scope, config)))
      found.push(
        problem("container", `container ${config.name}: its root file system, snapshot ${key} of ${driver}, is gone`, config.name),
      );
    const holder = await holderOf(scope.paths, config.name);
    if (holder !== id)
      found.push(problem("name", `the name ${config.name} points to ${holder ?? "nothing"}, not to container ${id}`, config.name));
    // Its supervisor is taking it away.
    if (found.length > 0 && config.options.autoRemove && liveness !== "live") return "leftover";
    return found.length > 0 ? found : undefined;
  } catch (error) {
    if (!isRamekinError(error, "DATA_LOSS") && !isRamekinError(error, "UNSUPPORTED")) throw error;
    return [problem("container", `container ${id.slice(0, 12)}: ${error.message}`)];
  }
}

/** A driver that is not here cannot be asked. */
async function hasSnapshot(scope: Scope, { storage: { driver, key }, options }: ContainerConfig): Promise<boolean> {
  if (options.rootDirectory) return true; // it has none
  const storage = await scope.kernel.use("storage", driver).catch((error: unknown) => {
    if (isRamekinError(error, "UNSUPPORTED") || isRamekinError(error, "NOT_FOUND")) return undefined;
    throw error;
  });
  return storage === undefined || (await storage.stat(key)) !== undefined;
}

/** A name that nobody holds goes back to its container. */
async function reconnect(scope: Scope, id: string, problem: StoreProblem): Promise<StoreProblem> {
  if (problem.kind !== "name") return problem;
  const config = await readConfigIfThere(scope.paths, id);
  const holder = config && (await reserveName(scope.paths, config.name, id));
  return holder === undefined || holder === id ? { ...problem, repaired: "the name points to it again" } : problem;
}

/** A reservation without its container, and one that some other container's configuration does not know. */
async function checkNames(scope: Scope, repair: boolean): Promise<readonly StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const name of await entriesOf(scope.paths.names)) {
    if (name.startsWith(".")) continue;
    const holder = await holderOf(scope.paths, name);
    if (holder === undefined) continue;
    const dead = !(await isThere(scope.paths.container(holder).directory));
    const config = dead ? undefined : await readConfigIfThere(scope.paths, holder).catch(() => undefined); // told of already
    if ((!dead && (config === undefined || config.name === name)) || (await holderOf(scope.paths, name)) !== holder) continue;
    const message = dead
      ? `the name ${name} points to container ${holder}, which is gone`
      : `the name ${name} points to container ${holder}, which is called ${config?.name}`;
    const problem: StoreProblem = { kind: "name", id: name, message, images: [], containers: [name] };
    if (repair) await releaseDeadNames(scope.paths);
    problems.push(repair ? { ...problem, repaired: "the name was released" } : problem);
  }
  return problems;
}
