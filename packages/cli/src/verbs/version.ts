import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "version",
  group: "system",
  summary: "Show the Ramekin version information",
  arguments: [],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
  },
  examples: [{ command: "ramekin version --format '{{.Client.Version}}'", summary: "The number alone" }],
  hot: true,
  async run({ flags: { format } }, context) {
    const { showVersion } = await import("../system/show-version.ts");
    return await showVersion(format, context);
  },
});
