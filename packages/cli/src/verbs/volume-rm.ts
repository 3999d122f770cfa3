import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume rm",
  group: "volume",
  summary: "Remove one or more volumes",
  description: "With all that is in them. One that a container has, running or not, stays.",
  arguments: [{ name: "VOLUME", summary: "Its name", repeats: true, complete: "volume" }],
  flags: { force: { type: "boolean", short: "f", summary: "No error for one that is not there" } },
  examples: [{ command: "ramekin volume rm pantry", summary: "Remove it and its files" }],
  hot: true,
  async run({ flags: { force }, arguments: names }, context) {
    const { forEachName } = await import("../container/for-each.ts");
    const engine = await context.engine();
    return await forEachName(context, names, async (name) => {
      await engine.volumes.remove(name, { force });
      return name;
    });
  },
});
