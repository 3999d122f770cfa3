import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "container inspect",
  group: "container",
  summary: "Display detailed information on one or more containers",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "container" }],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
  },
  examples: [{ command: "ramekin container inspect web", summary: "All that is known, as JSON" }],
  hot: true,
  async run({ flags: { format }, arguments: names }, context) {
    const { inspectObjects } = await import("../inspect/inspect-objects.ts");
    return await inspectObjects(names, { format, type: "container" }, context);
  },
});
