import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume inspect",
  group: "volume",
  summary: "Display detailed information on one or more volumes",
  arguments: [{ name: "VOLUME", summary: "Its name", repeats: true, complete: "volume" }],
  flags: { format: { type: "string", short: "f", summary: "Format output using a custom template: 'json' or TEMPLATE" } },
  examples: [{ command: "ramekin volume inspect -f '{{.Mountpoint}}' pantry", summary: "Where its files are" }],
  hot: true,
  async run({ flags: { format }, arguments: names }, context) {
    const { inspectEach } = await import("../inspect/inspect-each.ts");
    const { describeVolume } = await import("../volume/describe-volume.ts");
    const engine = await context.engine();
    return await inspectEach(names, format, context, async (name) => describeVolume(await engine.volumes.inspect(name)));
  },
});
