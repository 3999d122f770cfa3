import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "info",
  group: "system",
  summary: "Display system-wide information",
  arguments: [],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
  },
  examples: [{ command: "ramekin info", summary: "What is here, where it is kept, and which drivers are used" }],
  hot: true,
  async run({ flags: { format } }, context) {
    const { showInfo } = await import("../system/show-info.ts");
    return await showInfo(format, context);
  },
});
