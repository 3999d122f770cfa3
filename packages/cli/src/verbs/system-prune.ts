import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system prune",
  group: "system",
  summary: "Remove unused data",
  description:
    "Removes containers that do not run, images without a name (with --all: all that no container uses), and what crashes have left behind: half-made containers, and content that no image and no container refers to.\n\nWith --max-used-space, --min-free-space, --reserved-space or --keep-last it removes no container, but unused images, least recently used first, until the limits hold. The sizes are those of blobs and unpacked snapshots, images in use included. '[gc]' in config.toml does the same after every pull and load.",
  arguments: [],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all unused images, not just dangling ones" },
    filter: { type: "list", value: "filter", summary: "Provide filter values: until=TIME, label=, label!=" },
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
    "keep-last": { type: "int", value: "number", summary: "Keep so many of the unused images, the most recently used" },
    "max-used-space": { type: "bytes", summary: "Remove unused images until images take no more than this" },
    "min-free-space": { type: "bytes", summary: "Remove unused images until this is free on the store's file system" },
    "reserved-space": { type: "bytes", summary: "What images may always take, whatever the other limits say" },
    volumes: { type: "boolean", summary: "Prune anonymous volumes" },
  },
  examples: [
    { command: "ramekin system prune", summary: "Stopped containers, images without a name, and what crashes have left behind" },
    { command: "ramekin system prune -af --filter until=240h", summary: "Without a question, all that is unused and older than ten days" },
    { command: "ramekin system prune -f --max-used-space 20GB --keep-last 3", summary: "Unused images, until all together take 20 GB" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { pruneSystem } = await import("../system/prune-system.ts");
    return await pruneSystem(flags, context);
  },
});
