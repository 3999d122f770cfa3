import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume export",
  group: "volume",
  summary: "Export a volume's files as a tar archive (streamed to STDOUT by default)",
  arguments: [{ name: "VOLUME", summary: "Its name", complete: "volume" }],
  flags: { output: { type: "string", short: "o", summary: "Write to a file, instead of STDOUT", complete: "file" } },
  examples: [{ command: "ramekin volume export -o pantry.tar pantry", summary: "A backup" }],
  hot: true,
  async run({ flags: { output }, arguments: [name = ""] }, context) {
    const { writeTar } = await import("../image/export-image.ts");
    const { refuseTerminal } = await import("../image/save-images.ts");
    refuseTerminal(output, context.stdout, "save");
    const engine = await context.engine();
    await engine.volumes.inspect(name);
    await writeTar(engine.volumes.export(name, { signal: context.interruption.signal }), output, context);
    return 0;
  },
});
