import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "inspect",
  group: "container",
  summary: "Return low-level information on Ramekin objects",
  arguments: [{ name: "NAME|ID", summary: "Of a container or an image", unless: "latest", repeats: true, complete: "container" }],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
    latest: latestFlag,
    size: { type: "boolean", short: "s", summary: "Show what a container takes on the disk: SizeRw by itself, SizeRootFs with its image" },
    type: { type: "string", choices: ["container", "image"], summary: 'Only inspect objects of the given type: "container" or "image"' },
  },
  examples: [
    { command: "ramekin inspect web", summary: "All that is known, as JSON" },
    { command: "ramekin inspect -f '{{.State.ExitCode}}' job", summary: "One value" },
  ],
  hot: true,
  async run({ flags: { format, latest, size, type }, arguments: given }, context) {
    const names = latest ? [await (await import("../container/select-containers.ts")).latestContainer(context)] : given;
    const { inspectObjects } = await import("../inspect/inspect-objects.ts");
    return await inspectObjects(names, { format, size, type: type as "container" | "image" | undefined }, context);
  },
});
