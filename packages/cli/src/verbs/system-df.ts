import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system df",
  group: "system",
  summary: "Show what takes how much of the disk",
  description:
    "Blobs and unpacked snapshots are counted once, whoever shares them. RECLAIMABLE is what comes free when all goes that is not in use: images that no container was made from, and containers that do not run. A line 'Leftovers' appears when there are unfinished downloads or content that nothing refers to; 'ramekin system prune' takes the second.",
  arguments: [],
  flags: {
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    verbose: { type: "boolean", short: "v", summary: "Show detailed information on space usage" },
  },
  examples: [
    { command: "ramekin system df", summary: "Images, containers and what could go" },
    { command: "ramekin system df -v", summary: "Image by image, with what each shares with others and has alone" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { showDiskUsage } = await import("../system/disk-usage.ts");
    return await showDiskUsage(flags, context);
  },
});
