import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image unmount",
  group: "image",
  summary: "Unmount images that 'image mount' has mounted",
  arguments: [
    { name: "IMAGE", summary: "A name, an id, the beginning of an id, or the path", optional: true, repeats: true, complete: "image" },
  ],
  flags: {
    all: { type: "boolean", short: "a", summary: "Unmount all images that are mounted" },
  },
  examples: [{ command: "ramekin image unmount debian", summary: "What was mounted is gone from its path" }],
  hot: true,
  async run({ flags: { all }, arguments: names }, context) {
    const { unmountImages } = await import("../image/mount-images.ts");
    return await unmountImages(all, names, context);
  },
});
