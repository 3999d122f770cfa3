import { isRamekinError, RamekinError } from "@ramekin/core";
import type { ContainerConfig, StartedAgain } from "./api.ts";
import { readContainers } from "./inventory.ts";
import { parallel } from "./parallel.ts";
import type { Scope } from "./scope.ts";
import { start } from "./start.ts";
import { bootId } from "./store/liveness.ts";
import { readState } from "./store/state.ts";

/** As many as start at once: each is a few processes for a moment. */
const concurrent = 4;

/** See `Engine.startAll`. */
export async function startAll(
  scope: Scope,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly StartedAgain[]> {
  await scope.opened();
  const containers = [...(await readContainers(scope))].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const due: ContainerConfig[] = [];
  for (const config of containers) if (await comesBack(scope, config)) due.push(config);
  return parallel(due, concurrent, async (config): Promise<StartedAgain> => {
    const { id, name } = config;
    try {
      await start(scope, config, options);
      return { id, name };
    } catch (error) {
      options.signal?.throwIfAborted();
      return { id, name, error: isRamekinError(error) ? error : new RamekinError("INTERNAL", String(error), { cause: error }) };
    }
  });
}

/** As Docker's daemon has it when it starts: stopped by hand or not, `always` comes back; `unless-stopped` says when it does not. */
async function comesBack(scope: Scope, { id, options: { restartPolicy } }: ContainerConfig): Promise<boolean> {
  if (restartPolicy?.name !== "always" && restartPolicy?.name !== "unless-stopped") return false;
  const { liveness, file } = await readState(scope.paths.container(id));
  // What has ended since the machine came up has its reasons: its supervisor was there to start it again.
  if (liveness !== "ended" || file?.bootId === undefined || file.bootId === (await bootId())) return false;
  return restartPolicy.name === "always" || file.stoppedByHand !== true;
}
