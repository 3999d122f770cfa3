import { filterFlag, selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "unpause",
  group: "container",
  summary: "Unpause all processes within one or more containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "running" },
  ],
  flags: { ...selectionFlags, filter: filterFlag },
  examples: [{ command: "ramekin unpause web", summary: "Let it go on" }],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { forEachContainer } = await import("../container/for-each.ts");
    const { selectContainers } = await import("../container/select-containers.ts");
    const selected = await selectContainers(flags, names, context, ({ status }) => status === "paused");
    return await forEachContainer(context, selected, (container) => container.unpause());
  },
});
