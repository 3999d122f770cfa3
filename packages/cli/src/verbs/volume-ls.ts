import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume ls",
  group: "volume",
  summary: "List volumes",
  arguments: [],
  flags: {
    filter: { type: "list", short: "f", value: "filter", summary: "Provide filter values: dangling=, driver=, label=, name=" },
    format: { type: "string", summary: "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or TEMPLATE" },
    quiet: { type: "boolean", short: "q", summary: "Only display volume names" },
  },
  refused: { cluster: { reason: "only a swarm has volumes of a cluster" } },
  examples: [{ command: "ramekin volume ls -f dangling=true", summary: "Those that no container has" }],
  hot: true,
  async run({ flags }, context) {
    const { listVolumes } = await import("../volume/list-volumes.ts");
    return await listVolumes(flags, context);
  },
});
