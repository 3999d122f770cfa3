import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "history",
  group: "image",
  summary: "Show the history of an image",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", complete: "image" }],
  flags: {
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    human: { type: "boolean", short: "H", default: true, summary: "Print sizes and dates in human readable format" },
    "no-trunc": { type: "boolean", summary: "Don't truncate output" },
    platform: { type: "string", summary: "Show history for the given platform" },
    quiet: { type: "boolean", short: "q", summary: "Only show image IDs" },
  },
  examples: [
    { command: "ramekin history --no-trunc --format '{{.Size}}\\t{{.CreatedBy}}' debian", summary: "Which step made it so large" },
  ],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { showHistory } = await import("../image/show-history.ts");
    return await showHistory(flags, name, context);
  },
});
