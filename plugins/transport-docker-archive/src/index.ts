import { join } from "node:path";
import { definePlugin, type PluginContext, type PluginFactory } from "@ramekin/core";
import { dockerArchive, dualArchive, imageFolder, type TransportOptions } from "./transport.ts";

export { dockerArchive, dualArchive, imageFolder, type TransportOptions } from "./transport.ts";

const options = (context: PluginContext): TransportOptions => ({
  directory: join(context.root, "spool"),
  digester: (algorithm) => context.use("digester", { for: algorithm }),
  codec: (format) => context.use("codec", { for: format }),
});

const transportDockerArchive: PluginFactory = definePlugin(() => ({
  name: "transport-docker-archive",
  provides: {
    transport: {
      "docker-archive": { create: (context) => dockerArchive(options(context)) },
      "dual-archive": { create: (context) => dualArchive(options(context)) },
      dir: { create: (context) => imageFolder(options(context)) },
    },
  },
}));
export default transportDockerArchive;
