import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "diff",
  group: "container",
  summary: "Inspect changes to files or directories on a container's filesystem",
  description: "A is added, C is changed, D is deleted, since the container was made from its image.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", complete: "container" }],
  flags: {
    format: { type: "string", choices: ["json"], summary: "Format output: 'json'" },
    latest: latestFlag,
  },
  examples: [{ command: "ramekin diff web", summary: "What it has written to its own files" }],
  hot: true,
  async run({ flags, arguments: given }, context) {
    const { showChanges } = await import("../container/show-changes.ts");
    const { withContainer } = await import("../container/select-containers.ts");
    const [name] = await withContainer(flags.latest, given, context);
    return await showChanges(name, flags.format, context);
  },
});
