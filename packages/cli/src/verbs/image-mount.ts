import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image mount",
  group: "image",
  summary: "Mount the root file system of images read-only, and print where",
  description:
    "The mount is made in the mount namespace of the caller and stays until `ramekin image unmount`, or until the namespace ends. Without images: those that are mounted. Needs root.",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "image" }],
  flags: {
    all: { type: "boolean", short: "a", summary: "Mount all images" },
    format: { type: "string", summary: "One document for all", choices: ["json"] },
  },
  examples: [{ command: "ls $(ramekin image mount debian)/etc", summary: "Look into an image without a container" }],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { mountImages } = await import("../image/mount-images.ts");
    return await mountImages(flags, names, context);
  },
});
