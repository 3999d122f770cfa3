import { type Cancellable, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import type { Scope } from "./scope.ts";
import { isThere, readConfig } from "./store/containers.ts";
import { replaceFile } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";
import { checkName, moveName } from "./store/names.ts";

/** See `Container.rename`. */
export async function rename(
  scope: Scope,
  { id, name: known, options }: ContainerConfig,
  to: string,
  given: Cancellable = {},
): Promise<void> {
  checkName(to);
  if (options.autoRemove) {
    // The list of what its supervisor removes is written at the start: it would take the old name from whoever has it by then.
    throw new RamekinError("UNSUPPORTED", `container ${known} cannot be renamed: it is removed when it ends`, {
      hint: "only a container that was made without --rm can get another name",
    });
  }
  const paths = scope.paths.container(id);
  if (!(await isThere(paths.directory))) throw new RamekinError("NOT_FOUND", `no such container: ${known}`);
  await using _lock = await lockFile(paths.lock, { exclusive: true, signal: given.signal });
  const config = await readConfig(scope.paths, id); // by now others may have renamed it
  const from = config.name;
  if (from === to) throw new RamekinError("INVALID_ARGUMENT", `container ${to} has this name already`);
  const holder = await moveName(scope.paths, from, to, id, () =>
    replaceFile(paths.config, `${JSON.stringify({ ...config, name: to })}\n`, { durable: true }),
  );
  if (holder !== undefined) {
    throw new RamekinError("ALREADY_EXISTS", `container name ${to} is in use by container ${holder.slice(0, 12)}`, {
      hint: `remove it with \`ramekin rm ${to}\`, or choose another name`,
    });
  }
  tell(scope, { ...config, name: to }, "rename", { oldName: from });
}
