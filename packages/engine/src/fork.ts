import type { ClonedSnapshot, IsolationBackend, StorageDriver } from "@ramekin/core";
import { RamekinError } from "@ramekin/core";
import type { ContainerConfig, ForkCost, ForkOptions } from "./api.ts";
import { create, type Prepared } from "./create.ts";
import { refuseRootDirectory } from "./root-directory.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

export interface Fork {
  readonly prepared: Prepared;
  readonly cost: ForkCost;
}

/**
 * See `Container.fork`. The files are copied while nothing in the container runs; the hold ends with this process, so that a
 * SIGKILL in the middle leaves a container that runs and garbage that `prune` finds.
 */
export async function fork(scope: Scope, config: ContainerConfig, { name, signal }: ForkOptions = {}): Promise<Fork> {
  refuseRootDirectory(config, "forked");
  const { options, image, storage: snapshot } = config;
  const { name: _, autoRemove: __, ...same } = options;
  let cost: ForkCost = { milliseconds: 0, bytes: 0, shared: true };
  const prepared = await create(
    scope,
    { ...same, pull: "never", storage: snapshot.driver, isolation: config.isolation.driver, ...(name !== undefined && { name }), signal },
    {
      image,
      async prepare(storage, key) {
        const begin = performance.now();
        const { mounts, bytes, shared } = await clone(scope, config, storage, key, signal);
        cost = { milliseconds: performance.now() - begin, bytes, shared };
        return mounts;
      },
    },
  );
  return { prepared, cost };
}

async function clone(
  scope: Scope,
  config: ContainerConfig,
  storage: StorageDriver,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ClonedSnapshot> {
  if (!storage.clone) {
    throw new RamekinError("UNSUPPORTED", `storage driver ${config.storage.driver} cannot fork a container`, {
      hint: "`ramekin commit` makes an image of it",
    });
  }
  const { status } = await currentState(scope, config);
  if (status === "removing" || status === "dead") {
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is ${status}: it cannot be forked`);
  }
  await using _still = status === "running" ? await still(await scope.kernel.use("isolation", config.isolation.driver), config) : undefined;
  return await storage.clone(config.storage.key, key, { signal });
}

function still(isolation: IsolationBackend, { id, isolation: { driver } }: ContainerConfig): Promise<AsyncDisposable> {
  if (isolation.hold) return isolation.hold(id);
  throw new RamekinError("UNSUPPORTED", `isolation driver ${driver} cannot hold a container still`, { hint: "stop it, then fork it" });
}
