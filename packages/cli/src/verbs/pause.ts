import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "pause",
  group: "container",
  summary: "Pause all processes within one or more containers",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "running" }],
  flags: {},
  examples: [{ command: "ramekin pause web", summary: "Freeze every process in it, as it stands" }],
  hot: true,
  async run({ arguments: names }, context) {
    const { forEachContainer } = await import("../container/for-each.ts");
    return await forEachContainer(context, names, (container) => container.pause());
  },
});
