import { definePlugin, type PluginFactory } from "@ramekin/core";
import { type DistributionOptions, distributionRegistry } from "./distribution.ts";

export type { CredentialSource, Credentials } from "./credentials.ts";
export type { DistributionOptions } from "./distribution.ts";
export { distributionRegistry };

const distribution: PluginFactory<[options?: DistributionOptions]> = definePlugin((options: DistributionOptions = {}) => ({
  name: "registry-distribution",
  provides: { registry: { distribution: { create: ({ warn }) => distributionRegistry({ warn, ...options }) } } },
}));
export default distribution;
