import type { Cancellable, Mount } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import { rootMounts } from "./root-directory.ts";
import type { Scope } from "./scope.ts";
import { openViews } from "./view.ts";

/** See `Container.export`. The difference to nothing is everything. */
export async function* exportContainer(scope: Scope, config: ContainerConfig, options: Cancellable = {}): AsyncGenerator<Uint8Array> {
  await using views = await openViews(scope, { ...options, storage: config.storage.driver });
  const differ = views.storage.differ ?? (await scope.kernel.use("differ"));
  const mounts = await rootMounts(scope.paths, views.storage, config);
  tell(scope, config, "export");
  yield* differ.diff([], mounts.map(readOnly), { signal: options.signal });
}

/**
 * The same files without a claim on the upper directory: a second mount of it would empty the work directory under a running
 * container (ovl_workdir_create), so it is laid on top of the lower ones, as they are.
 */
export function readOnly(mount: Mount): Mount {
  const value = (name: string) => mount.options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  const upper = value("upperdir");
  if (mount.type !== "overlay" || upper === undefined) return mount;
  const lower = value("lowerdir");
  const rest = mount.options.filter((option) => !/^(?:(?:lowerdir|upperdir|workdir)=|(?:volatile|ro|rw)$)/.test(option));
  return { ...mount, options: [`lowerdir=${lower === undefined ? upper : `${upper}:${lower}`}`, ...rest, "ro"] };
}
