import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "ps",
  group: "common",
  summary: "List containers",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Show all containers (default shows just running)" },
    filter: {
      type: "list",
      short: "f",
      value: "filter",
      summary: "Filter output: id, name, label, status, exited, health, ancestor, before, since, network",
    },
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    last: { type: "int", short: "n", default: -1, summary: "Show n last created containers (includes all states)" },
    latest: { type: "boolean", short: "l", summary: "Show the latest created container (includes all states)" },
    "no-trunc": { type: "boolean", summary: "Don't truncate output" },
    quiet: { type: "boolean", short: "q", summary: "Only display container IDs" },
    size: { type: "boolean", short: "s", summary: "Display total file sizes" },
  },
  examples: [
    { command: "ramekin ps", summary: "What runs" },
    { command: "ramekin ps -a --filter status=exited", summary: "What has ended" },
    { command: "ramekin ps --format 'table {{.Names}}\\t{{.Status}}'", summary: "Columns of your own" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { listContainers } = await import("../container/list-containers.ts");
    return await listContainers(flags, context);
  },
});
