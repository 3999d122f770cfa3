import type { Attachment } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import type { Scope } from "./scope.ts";

type Known = Pick<ContainerConfig, "id" | "name" | "options">;

/** What every event of a container has. */
export function eventAttributes({ name, options: { labels, image } }: Known): Readonly<Record<string, string>> {
  return { ...labels, image, name };
}

/** An event of this container, into the journal. */
export function tell(scope: Scope, config: Known, action: string, more: Readonly<Record<string, string>> = {}): void {
  scope.emit("container", action, config.id, { ...eventAttributes(config), ...more });
}

/** Who detaches, and leaves the process behind, is told of; who disposes of an attachment has done with it. */
export function tellingDetach(attachment: Attachment, told: () => void): Attachment {
  return {
    ...attachment,
    async detach() {
      told();
      await attachment.detach();
    },
    [Symbol.asyncDispose]: () => attachment[Symbol.asyncDispose](),
  };
}
