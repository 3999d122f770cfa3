import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume prune",
  group: "volume",
  summary: "Remove unused local volumes",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all unused volumes, not just anonymous ones" },
    filter: { type: "list", value: "filter", summary: "Provide filter values: all=, label=, label!=" },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
  },
  examples: [{ command: "ramekin volume prune -f", summary: "What containers have left behind that are gone" }],
  hot: true,
  async run({ flags }, context) {
    const { pruneVolumes } = await import("../volume/prune-volumes.ts");
    return await pruneVolumes(flags, context);
  },
});
