import { RamekinError } from "@ramekin/core";
import type { Scope } from "../scope.ts";
import { holdersOf, letGoOfVolume, noSuchVolume, readVolume, removeIfFree } from "../store/volumes.ts";
import { unmountVolume } from "./mount.ts";

/** See `Volumes.remove`. */
export async function removeVolume(scope: Scope, name: string, options: { readonly force?: boolean } = {}): Promise<void> {
  await scope.opened();
  if (!(await readVolume(scope.paths, name))) {
    if (options.force) return;
    throw noSuchVolume(name);
  }
  if (await removeUnused(scope, name)) return;
  const holders = await holdersOf(scope.paths, name);
  throw new RamekinError("FAILED_PRECONDITION", `remove ${name}: volume is in use - [${holders.join(", ")}]`, {
    hint: "remove these containers first",
  });
}

/** Whether it could go. */
export async function removeUnused(scope: Scope, name: string): Promise<boolean> {
  const volume = await readVolume(scope.paths, name);
  const removed = await removeIfFree(scope.paths, name, async () => {
    if (volume) await unmountVolume(scope, volume);
  });
  if (removed) scope.emit("volume", "destroy", name, { driver: volume?.driver ?? "local" });
  return removed;
}

/** A container lets go of one; what nobody has any more is unmounted, or `withIt` goes. */
export async function releaseVolume(scope: Scope, name: string, id: string, withIt: boolean): Promise<void> {
  await letGoOfVolume(scope.paths, name, id);
  const volume = await readVolume(scope.paths, name);
  if (!volume || (await holdersOf(scope.paths, name)).length > 0) return;
  if (withIt) await removeUnused(scope, name);
  else await unmountVolume(scope, volume);
}
