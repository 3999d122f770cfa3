import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "images",
  group: "common",
  summary: "List images",
  arguments: [{ name: "REPOSITORY[:TAG]", summary: "Only those of this name; * stands for anything", optional: true, complete: "image" }],
  flags: {
    all: { type: "boolean", short: "a", summary: "Show all images (default hides those that have no name)" },
    digests: { type: "boolean", summary: "Show digests" },
    filter: { type: "list", short: "f", value: "filter", summary: "Filter output: dangling, reference, label, before, since, until" },
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    noheading: { type: "boolean", short: "n", summary: "Don't print the table's first line" },
    "no-trunc": { type: "boolean", summary: "Don't truncate output" },
    quiet: { type: "boolean", short: "q", summary: "Only show image IDs" },
    sort: {
      type: "string",
      default: "created",
      summary: "What the list is sorted by: newest first, else in ascending order",
      choices: ["created", "id", "repository", "size", "tag"],
    },
    tree: { type: "boolean", summary: "List multi-platform images as a tree" },
  },
  refused: {
    history: { reason: "names that an image had once are not kept", hint: "`ramekin history IMAGE` shows how it was made" },
  },
  examples: [
    { command: "ramekin images", summary: "What is here" },
    { command: "ramekin images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", summary: "A line of your own for each image" },
  ],
  hot: true,
  async run({ flags, arguments: [pattern] }, context) {
    const { listImages } = await import("../image/list-images.ts");
    return await listImages(flags, pattern, context);
  },
});
