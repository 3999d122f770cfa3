import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "export-image",
  group: "image",
  summary: "Export the files of an image as a tar archive (streamed to STDOUT by default)",
  description: "All layers in one, without the configuration: the opposite of import. No container is made.",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", complete: "image" }],
  flags: {
    output: { type: "string", short: "o", summary: "Write to a file, instead of STDOUT", complete: "file" },
    platform: { type: "string", summary: "Export a specific platform of the multi-platform image" },
  },
  examples: [{ command: "ramekin export-image debian | tar -t", summary: "What is in it" }],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { exportImage } = await import("../image/export-image.ts");
    return await exportImage(flags, name, context);
  },
});
