import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image tree",
  group: "image",
  summary: "Show the layers of images, those that they share once",
  arguments: [{ name: "IMAGE", summary: "Only this one's layers; all images when absent", optional: true, complete: "image" }],
  flags: {
    whatrequires: { type: "boolean", summary: "Show also all images and layers that build on this one's lowest layer" },
  },
  examples: [{ command: "ramekin image tree", summary: "Which images have what in common" }],
  hot: true,
  async run({ flags: { whatrequires }, arguments: [name] }, context) {
    const { showImageTree } = await import("../image/image-tree.ts");
    return await showImageTree(name, whatrequires, context);
  },
});
