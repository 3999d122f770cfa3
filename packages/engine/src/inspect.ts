import type { ContainerConfig, ContainerDetails } from "./api.ts";
import { containerInfo } from "./list.ts";
import { logOptions } from "./log-options.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { healthOf } from "./store/state.ts";

/** See `Container.inspect`. */
export async function inspect(scope: Scope, config: ContainerConfig): Promise<ContainerDetails> {
  const current = await currentState(scope, config);
  const info = containerInfo(current) as NonNullable<ReturnType<typeof containerInfo>>;
  const driver = await scope.kernel.use("log", config.log.driver);
  const writer = await driver.writer({ containerId: config.id, ...logOptions(config.log.options, config) });
  const { file } = current.state;
  const healthLog = file && healthOf(file);
  const more = { restartCount: file?.restartCount ?? 0, ...(healthLog && { healthLog }) };
  return { ...info, ...more, config, bundle: scope.paths.container(config.id).bundle, ...("path" in writer && { logPath: writer.path }) };
}
