import { isRamekinError } from "@ramekin/core";
import type { ImageRunConfig } from "@ramekin/oci";
import type { ContainerConfig, ContainerDetails } from "./api.ts";
import { blobsOf, contentOf, openImage } from "./image.ts";
import { containerInfo } from "./list.ts";
import { logWriter } from "./log-options.ts";
import { configuredEnv } from "./process.ts";
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
  const { Env = [], Volumes = {} } = await imageRun(scope, config);
  return {
    ...info,
    ...more,
    config,
    env: configuredEnv(Env, config.options),
    volumes: volumesOf(config, Object.keys(Volumes)),
    bundle: scope.paths.container(config.id).bundle,
    ...("path" in writer && { logPath: writer.path }),
  };
}

/** What is broken about the image is another verb's to tell: the container is there. */
async function imageRun(scope: Scope, { name, image, options }: ContainerConfig): Promise<ImageRunConfig> {
  try {
    const source = blobsOf(await contentOf(scope));
    const opened = await openImage(source, image.descriptor, options.platform ?? scope.platform, image.name);
    return opened.config.config ?? {};
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    scope.warn(`container ${name}: what its image adds is not known: ${error.message}`);
    return {};
  }
}

/** As Docker: what the image declares, whatever is mounted there, and what was asked for without a name. */
function volumesOf({ options: { mounts = [] } }: ContainerConfig, declared: readonly string[]): readonly string[] {
  const nameless = mounts.filter((mount) => mount.type === "volume" && mount.source === undefined);
  return [...new Set([...declared, ...nameless.map(({ target }) => target)])].sort();
}
