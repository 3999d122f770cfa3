import { selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "wait",
  group: "container",
  summary: "Block until one or more containers stop, then print their exit codes",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "container" },
  ],
  flags: {
    condition: { type: "list", value: "condition", summary: "What to wait for, in place of stopped: a status, or a state of health" },
    interval: { type: "string", short: "i", default: "250ms", summary: "Time between two looks, with --condition" },
    latest: selectionFlags.latest,
  },
  examples: [{ command: "ramekin wait job", summary: "Wait for a container, and print the status it ended with" }],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { waitForContainers } = await import("../container/wait-for-containers.ts");
    return await waitForContainers(flags, names, context);
  },
});
