import type { ContainerConfig, ContainerDetails } from "./api.ts";
import { containerInfo } from "./list.ts";
import { logWriter } from "./log-options.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { healthOf } from "./store/state.ts";

/** See `Container.inspect`. */
export async function inspect(scope: Scope, config: ContainerConfig): Promise<ContainerDetails> {
  const current = await currentState(scope, config);
  const info = containerInfo(current) as NonNullable<ReturnType<typeof containerInfo>>;
  const driver = await scope.kernel.use("log", config.log.driver);
  const writer = await logWriter(driver, config.log.driver, config.log.options, config);
  const { file } = current.state;
  const healthLog = file && healthOf(file);
  const more = {
    restartCount: file?.restartCount ?? 0,
    ...(file?.droppedRecords !== undefined && { droppedRecords: file.droppedRecords }),
    ...(healthLog && { healthLog }),
  };
  return { ...info, ...more, config, bundle: scope.paths.container(config.id).bundle, ...("path" in writer && { logPath: writer.path }) };
}
