import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "secret rm",
  group: "secret",
  summary: "Remove one or more secrets",
  description: "One that a container has, running or not, stays.",
  arguments: [{ name: "SECRET", summary: "A name, an id, or the beginning of an id", repeats: true }],
  flags: {},
  examples: [{ command: "ramekin secret rm db-password", summary: "Remove it from the store" }],
  hot: true,
  async run({ arguments: names }, context) {
    const { forEachName } = await import("../container/for-each.ts");
    const engine = await context.engine();
    return await forEachName(context, names, async (name) => (await engine.secrets.remove(name)).id);
  },
});
