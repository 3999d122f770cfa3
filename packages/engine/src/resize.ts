import type { WindowSize } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell } from "./container-event.ts";
import type { Scope } from "./scope.ts";

/** See `Container.resize`. */
export async function resize(scope: Scope, config: ContainerConfig, size: WindowSize): Promise<void> {
  await (await scope.kernel.use("isolation", config.isolation.driver)).resize(config.id, size);
  tell(scope, config, "resize", { height: String(size.rows), width: String(size.columns) });
}
