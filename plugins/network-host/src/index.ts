import { definePlugin, type NetworkDriver, type PluginFactory } from "@ramekin/core";

/** The host's own network: nothing between the container and the machine's interfaces and ports. */
export const hostNetwork = (): NetworkDriver => ({ namespace: "host" });

const host: PluginFactory = definePlugin(() => ({
  name: "network-host",
  provides: { network: { host: { create: hostNetwork } } },
}));
export default host;
