import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "builder du",
  group: "system",
  summary: "Disk usage of the build cache",
  description:
    "What steps made, by the size of their compressed layers, and the contents of cache mounts; what was of use last comes first.",
  arguments: [],
  flags: {
    filter: { type: "list", summary: 'Provide filter values (e.g. "until=24h", "type=exec.cachemount")' },
    verbose: { type: "boolean", summary: "Provide a more verbose output" },
  },
  examples: [{ command: "ramekin builder du --filter type=exec.cachemount", summary: "How much cache mounts hold" }],
  hot: true,
  async run({ flags }, context) {
    const { showCache } = await import("../build/show-cache.ts");
    return await showCache(flags, context);
  },
});
