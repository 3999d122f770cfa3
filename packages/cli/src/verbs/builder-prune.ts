import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "builder prune",
  group: "system",
  summary: "Remove build cache",
  description: "What no image needs goes with it. Without --filter the contents of cache mounts go, too.",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all unused build cache, not just dangling ones (there is no other kind here)" },
    filter: { type: "list", summary: 'Provide filter values (e.g. "until=24h")' },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
  },
  examples: [{ command: "ramekin builder prune -f --filter until=24h", summary: "What no build of today has made" }],
  hot: false,
  async run({ flags }, context) {
    const { pruneBuilds } = await import("../build/prune-builds.ts");
    return await pruneBuilds(flags, context);
  },
});
