import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "diff",
  group: "container",
  summary: "Inspect changes to files or directories on a container's filesystem",
  description: "A is added, C is changed, D is deleted, since the container was made from its image.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "container" }],
  flags: {},
  examples: [{ command: "ramekin diff web", summary: "What it has written to its own files" }],
  hot: true,
  async run({ arguments: [name = ""] }, context) {
    const { showChanges } = await import("../container/show-changes.ts");
    return await showChanges(name, context);
  },
});
