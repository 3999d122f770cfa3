import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "builder prune",
  group: "system",
  summary: "Remove build cache",
  description: "What no image needs goes with it. The contents of cache mounts are cache, too: --filter type=regular leaves them.",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all unused build cache, not just dangling ones (there is no other kind here)" },
    filter: { type: "list", summary: 'Provide filter values (e.g. "until=24h", "type=exec.cachemount")' },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
    "keep-storage": { type: "bytes", summary: "The older name of --reserved-space" },
    "max-used-space": { type: "bytes", summary: "Maximum amount of disk space allowed to keep for cache" },
    "min-free-space": { type: "bytes", summary: "Target amount of free disk space after pruning" },
    "reserved-space": { type: "bytes", summary: "Amount of disk space always allowed to keep for cache" },
    verbose: { type: "boolean", summary: "Say what was removed" },
  },
  examples: [
    { command: "ramekin builder prune -f --filter until=24h", summary: "What no build of today has used" },
    { command: "ramekin builder prune -f --max-used-space 10g", summary: "What was of use last, as far as 10 GiB go" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { pruneBuilds } = await import("../build/prune-builds.ts");
    return await pruneBuilds(flags, context);
  },
});
