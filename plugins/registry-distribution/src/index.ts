import { definePlugin, type PluginFactory } from "@ramekin/core";
import { type DistributionOptions, distributionRegistry } from "./distribution.ts";

export type { CredentialSource, Credentials } from "./credentials/credentials.ts";
export type { DistributionOptions } from "./distribution.ts";
export { distributionRegistry };

const distribution: PluginFactory<[options?: DistributionOptions]> = definePlugin((options: DistributionOptions = {}) => ({
  name: "registry-distribution",
  provides: {
    registry: {
      distribution: {
        create({ warn }) {
          const client = distributionRegistry({ warn, ...options });
          return { ...client, [Symbol.asyncDispose]: async () => client[Symbol.dispose]() };
        },
      },
    },
  },
}));
export default distribution;
