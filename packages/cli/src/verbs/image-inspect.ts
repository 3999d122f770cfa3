import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image inspect",
  group: "image",
  summary: "Display detailed information on one or more images",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "image" }],
  flags: {
    format: { type: "string", short: "f", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
    platform: { type: "string", summary: "Inspect a specific platform of the multi-platform image" },
  },
  examples: [{ command: "ramekin image inspect -f '{{json .Config.Env}}' debian", summary: "One value" }],
  hot: true,
  async run({ flags: { format, platform }, arguments: names }, context) {
    const { inspectObjects } = await import("../inspect/inspect-objects.ts");
    return await inspectObjects(names, { format, type: "image", platform }, context);
  },
});
