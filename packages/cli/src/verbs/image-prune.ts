import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image prune",
  group: "image",
  summary: "Remove unused images",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all unused images, not just dangling ones" },
    filter: { type: "list", value: "filter", summary: "Provide filter values: until=TIME, label=, label!=" },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
  },
  examples: [{ command: "ramekin image prune -a --filter until=240h", summary: "What no container uses and is older than ten days" }],
  hot: true,
  async run({ flags }, context) {
    const { pruneImages } = await import("../image/prune-images.ts");
    return await pruneImages(flags, context);
  },
});
