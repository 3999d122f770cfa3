import { type Attachment, type Cancellable, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { tell, tellingDetach } from "./container-event.ts";
import type { Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";

/** See `Container.attach`: to what it writes from now on; what it has written is in its log. */
export async function attach(scope: Scope, config: ContainerConfig, options: Cancellable = {}): Promise<Attachment> {
  const { status } = await currentState(scope, config);
  if (status === "restarting")
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is restarting`, { hint: "wait until it runs" });
  if (status !== "running" && status !== "paused") {
    throw new RamekinError("FAILED_PRECONDITION", `cannot attach to container ${config.name}: it is not running`, {
      hint: `\`ramekin logs ${config.name}\` shows what it has written`,
    });
  }
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  const attachment = await isolation.attach(config.id, options);
  tell(scope, config, "attach");
  return tellingDetach(attachment, () => tell(scope, config, "detach"));
}
