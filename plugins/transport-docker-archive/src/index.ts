import { join } from "node:path";
import { definePlugin, type PluginFactory } from "@ramekin/core";
import { dockerArchive } from "./transport.ts";

export { dockerArchive, type TransportOptions } from "./transport.ts";

const transportDockerArchive: PluginFactory = definePlugin(() => ({
  name: "transport-docker-archive",
  provides: {
    transport: {
      "docker-archive": {
        create: (context) =>
          dockerArchive({
            directory: join(context.root, "spool"),
            digester: (algorithm) => context.use("digester", { for: algorithm }),
            codec: (format) => context.use("codec", { for: format }),
          }),
      },
    },
  },
}));
export default transportDockerArchive;
