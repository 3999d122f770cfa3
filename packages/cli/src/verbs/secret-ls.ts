import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "secret ls",
  group: "secret",
  summary: "List secrets",
  arguments: [],
  flags: {
    filter: { type: "list", short: "f", value: "filter", summary: "Provide filter values: id=, label=, name=" },
    format: { type: "string", summary: "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or TEMPLATE" },
    quiet: { type: "boolean", short: "q", summary: "Only display ids" },
  },
  examples: [{ command: "ramekin secret ls", summary: "Their names, never what they hold" }],
  hot: true,
  async run({ flags }, context) {
    const { listSecrets } = await import("../secret/list-secrets.ts");
    return await listSecrets(flags, context);
  },
});
