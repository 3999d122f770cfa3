import { join } from "node:path";
import { definePlugin, type PluginContext, type PluginFactory } from "@ramekin/core";
import { layoutArchive, layoutFolder, type TransportOptions } from "./transport.ts";

export { layoutArchive, layoutFolder, type TransportOptions } from "./transport.ts";

const options = (context: PluginContext): TransportOptions => ({
  directory: join(context.root, "spool"),
  digester: (algorithm) => context.use("digester", { for: algorithm }),
  codec: (format) => context.use("codec", { for: format }),
});

const transportOci: PluginFactory = definePlugin(() => ({
  name: "transport-oci",
  provides: {
    transport: {
      oci: { create: (context) => layoutFolder(options(context)) },
      "oci-archive": { create: (context) => layoutArchive(options(context)) },
    },
  },
}));
export default transportOci;
