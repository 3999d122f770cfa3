import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "container inspect",
  group: "container",
  summary: "Display detailed information on one or more containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", repeats: true, complete: "container" },
  ],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
    latest: latestFlag,
    size: { type: "boolean", short: "s", summary: "Show what a container takes on the disk: SizeRw by itself, SizeRootFs with its image" },
  },
  examples: [{ command: "ramekin container inspect web", summary: "All that is known, as JSON" }],
  hot: true,
  async run({ flags: { format, latest, size }, arguments: given }, context) {
    const names = latest ? [await (await import("../container/select-containers.ts")).latestContainer(context)] : given;
    const { inspectObjects } = await import("../inspect/inspect-objects.ts");
    return await inspectObjects(names, { format, size, type: "container" }, context);
  },
});
