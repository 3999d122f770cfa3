import { definePlugin, type NetworkDriver, type PluginFactory } from "@ramekin/core";

/** A network namespace with lo and nothing else. There is nothing to attach: the supervisor brings lo up. */
export const noneNetwork = (): NetworkDriver => ({ namespace: "private" });

const none: PluginFactory = definePlugin(() => ({
  name: "network-none",
  provides: { network: { none: { create: noneNetwork } } },
}));
export default none;
