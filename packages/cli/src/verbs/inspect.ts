import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "inspect",
  group: "container",
  summary: "Return low-level information on Ramekin objects",
  arguments: [{ name: "NAME|ID", summary: "Of a container or an image", repeats: true, complete: "container" }],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
    type: { type: "string", choices: ["container", "image"], summary: 'Only inspect objects of the given type: "container" or "image"' },
  },
  examples: [
    { command: "ramekin inspect web", summary: "All that is known, as JSON" },
    { command: "ramekin inspect -f '{{.State.ExitCode}}' job", summary: "One value" },
  ],
  hot: true,
  async run({ flags: { format, type }, arguments: names }, context) {
    const { inspectObjects } = await import("../inspect/inspect-objects.ts");
    return await inspectObjects(names, { format, type: type as "container" | "image" | undefined }, context);
  },
});
