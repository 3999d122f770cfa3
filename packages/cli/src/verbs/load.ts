import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "load",
  group: "image",
  summary: "Load an image from a tar archive or STDIN",
  arguments: [],
  flags: {
    input: {
      type: "string",
      short: "i",
      summary: "Read from tar archive file or image directory, instead of STDIN",
      complete: "file",
    },
    platform: { type: "string", summary: "Load only the given platform variant" },
    quiet: { type: "boolean", short: "q", summary: "Suppress the load output" },
  },
  examples: [
    { command: "ramekin load -i debian.tar", summary: "From an archive that docker save, podman save or skopeo wrote" },
    { command: "docker save debian | ramekin load", summary: "Straight from another engine" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { loadImage } = await import("../image/load-image.ts");
    return await loadImage(flags, context);
  },
});
