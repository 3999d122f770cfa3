import { deviceLimitFlags, limitFlags } from "../container/resource-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "update",
  group: "container",
  summary: "Update configuration of one or more containers",
  description: "Limits hold at once for a container that runs, and at its next start for one that does not.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "container" }],
  flags: {
    ...limitFlags,
    ...deviceLimitFlags,
    restart: { type: "string", value: "policy", summary: "Restart policy to apply when a container exits" },
  },
  examples: [
    { command: "ramekin update --memory 1g --memory-swap 2g web", summary: "More memory for a container that runs" },
    { command: "ramekin update --cpus 0.5 $(ramekin ps -q)", summary: "Half a processor for each that runs" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { updateContainers } = await import("../container/update-containers.ts");
    return await updateContainers(flags, names, context);
  },
});
