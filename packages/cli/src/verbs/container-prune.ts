import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "container prune",
  group: "container",
  summary: "Remove all stopped containers",
  arguments: [],
  flags: {
    filter: { type: "list", value: "filter", summary: "Provide filter values: until=TIME, label=, label!=" },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
  },
  examples: [{ command: "ramekin container prune --filter until=24h", summary: "What does not run and is older than a day" }],
  hot: true,
  async run({ flags }, context) {
    const { pruneContainers } = await import("../container/prune-containers.ts");
    return await pruneContainers(flags, context);
  },
});
