import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "export",
  group: "container",
  summary: "Export a container's filesystem as a tar archive (streamed to STDOUT by default)",
  description: "Running or not; without what is mounted in it.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "container" }],
  flags: { output: { type: "string", short: "o", summary: "Write to a file, instead of STDOUT", complete: "file" } },
  examples: [{ command: "ramekin export web | tar -t", summary: "What is in it" }],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { exportContainer } = await import("../container/export-container.ts");
    return await exportContainer(flags, name, context);
  },
});
