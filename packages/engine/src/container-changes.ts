import type { Cancellable, Change } from "@ramekin/core";
import { changes } from "@ramekin/native";
import type { RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";
import { readJsonIfThere } from "./store/files.ts";
import { openViews } from "./view.ts";

/** See `Container.changes`. */
export async function* containerChanges(scope: Scope, config: ContainerConfig, options: Cancellable = {}): AsyncGenerator<Change> {
  await using views = await openViews(scope, { ...options, storage: config.storage.driver });
  const spec = await readJsonIfThere<RuntimeConfig>(scope.paths.container(config.id).spec);
  const upper = await views.storage.mounts(config.storage.key);
  const lower = await views.mounts(config.image.chainId || undefined);
  const all: Change[] = [];
  for await (const change of changes(upper, lower, { signal: options.signal })) all.push(change);
  yield* withoutTargets(
    all,
    (spec?.mounts ?? []).map(({ destination }) => destination),
  );
}

/**
 * Docker makes what it mounts on in a layer of its own, below the one that it compares; here the supervisor makes it in the container's.
 * With a target goes what only had to change for it: directories on the way to it in which nothing else has changed.
 */
export function withoutTargets(all: readonly Change[], destinations: readonly string[]): readonly Change[] {
  const targets = new Set(destinations);
  const made = all.filter(({ path, kind }) => kind === "added" && targets.has(path)).map(({ path }) => path);
  const onTheWay = new Set(made.flatMap(directoriesAbove));
  const real = new Set(all.map(({ path }) => path).filter((path) => !made.includes(path) && !onTheWay.has(path)));
  const needed = new Set([...real].flatMap(directoriesAbove));
  return all.filter(({ path }) => real.has(path) || (onTheWay.has(path) && needed.has(path)));
}

function directoriesAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
