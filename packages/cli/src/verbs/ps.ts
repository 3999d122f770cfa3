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
      summary:
        "Filter output: id, name, label, status, exited, health, ancestor, before, since, until, network, volume, publish, expose, annotation, command, isolation, is-task",
    },
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    last: { type: "int", short: "n", default: -1, summary: "Show n last created containers (includes all states)" },
    latest: { type: "boolean", short: "l", summary: "Show the latest created container (includes all states)" },
    noheading: { type: "boolean", summary: "Do not print the columns' names" },
    "no-trunc": { type: "boolean", summary: "Don't truncate output" },
    quiet: { type: "boolean", short: "q", summary: "Only display container IDs" },
    ns: { type: "boolean", summary: "Display the namespaces of the containers' first processes" },
    size: { type: "boolean", short: "s", summary: "Display total file sizes" },
    sort: {
      type: "string",
      choices: ["command", "created", "id", "image", "names", "runningfor", "size", "status"],
      summary: "Sort output; without it the newest comes first",
    },
    watch: { type: "int", short: "w", value: "seconds", summary: "Show the list again and again, after so many seconds" },
  },
  refused: {
    external: { reason: "what builds run is not kept as containers: there are none but those that are shown" },
    pod: { short: "p", reason: "this version has no pods" },
    sync: { reason: "there is nothing to synchronise with: each list is what the kernel and the supervisors say at that moment" },
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
