import type { ContainerConfig, ContainerDetails } from "./api.ts";
import { containerInfo } from "./list.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.inspect`. */
export async function inspect(scope: Scope, config: ContainerConfig): Promise<ContainerDetails> {
  const info = containerInfo(await currentState(scope, config)) as NonNullable<ReturnType<typeof containerInfo>>;
  const driver = await scope.kernel.use("log", config.log.driver);
  const writer = await driver.writer({ containerId: config.id, options: config.log.options });
  return { ...info, config, bundle: scope.paths.container(config.id).bundle, ...("path" in writer && { logPath: writer.path }) };
}
