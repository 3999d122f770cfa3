import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "reset",
  group: "container",
  summary: "Give one or more containers the files of their image again",
  description: "What a container has written is removed; its options, its name, its log and its volumes stay.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "container" }],
  flags: { force: { type: "boolean", short: "f", summary: "Also those that run: they are killed first" } },
  examples: [{ command: "ramekin reset web", summary: "Back to the beginning" }],
  hot: true,
  async run({ flags: { force }, arguments: names }, context) {
    const { forEachContainer } = await import("../container/for-each.ts");
    return await forEachContainer(context, names, (container) => container.reset({ force }));
  },
});
