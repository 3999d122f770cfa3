import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "volume import",
  group: "volume",
  summary: "Import a tar archive's files into a volume",
  description: "What is there already stays, but for files of the same name.",
  arguments: [
    { name: "VOLUME", summary: "Its name", complete: "volume" },
    { name: "SOURCE", summary: "A file, or - for STDIN", optional: true, complete: "file" },
  ],
  flags: {},
  examples: [{ command: "ramekin volume import pantry pantry.tar", summary: "A backup, back again" }],
  hot: true,
  async run({ arguments: [name = "", source = "-"] }, context) {
    const { readSource } = await import("../volume/read-source.ts");
    const engine = await context.engine();
    await engine.volumes.import(name, readSource(source, context), { signal: context.interruption.signal });
    return 0;
  },
});
