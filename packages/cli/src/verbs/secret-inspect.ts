import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "secret inspect",
  group: "secret",
  summary: "Display detailed information on one or more secrets",
  arguments: [{ name: "SECRET", summary: "A name, an id, or the beginning of an id", repeats: true }],
  flags: { format: { type: "string", short: "f", summary: "Format output using a custom template: 'json' or TEMPLATE" } },
  examples: [{ command: "ramekin secret inspect db-password", summary: "All but what it holds" }],
  hot: true,
  async run({ flags: { format }, arguments: names }, context) {
    const { inspectEach } = await import("../inspect/inspect-each.ts");
    const { describeSecret } = await import("../secret/list-secrets.ts");
    const engine = await context.engine();
    return await inspectEach(names, format, context, async (name) => describeSecret(await engine.secrets.inspect(name)));
  },
});
