import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "rmi",
  group: "image",
  summary: "Remove one or more images",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", repeats: true, optional: true, complete: "image" }],
  flags: {
    all: { type: "boolean", short: "a", summary: "Remove all images" },
    force: { type: "boolean", short: "f", summary: "Force removal of the image, though a stopped container uses it" },
    ignore: { type: "boolean", short: "i", summary: "An image that does not exist is no error" },
    "no-prune": { type: "boolean", summary: "Do not delete layers that nothing needs any more; prune does" },
    platform: { type: "list", summary: "Remove only the given platform variant" },
  },
  examples: [{ command: "ramekin rmi debian", summary: "Remove a name, and the image with its last name" }],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { removeImages } = await import("../image/remove-images.ts");
    return await removeImages(names, flags, context);
  },
});
