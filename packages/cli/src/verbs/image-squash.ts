import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image squash",
  group: "image",
  summary: "Make an image with the same files in one layer",
  description: "What a layer adds and a later one deletes is in neither. The image itself stays as it is.",
  arguments: [
    { name: "IMAGE", summary: "A name, an id, or the beginning of an id", complete: "image" },
    { name: "REPOSITORY[:TAG]", summary: "The new image's name", optional: true },
  ],
  flags: {
    message: { type: "string", short: "m", summary: "Comment in the history" },
    onto: { type: "string", value: "image", summary: "Keep the layers of the image that it is built on" },
    platform: { type: "string", summary: "Squash a specific platform of a multi-platform image" },
  },
  examples: [{ command: "ramekin image squash --onto debian:12 app app:small", summary: "One layer more than the base has" }],
  hot: true,
  async run({ flags, arguments: [name = "", target] }, context) {
    const { squashImage } = await import("../image/squash-image.ts");
    return await squashImage(flags, name, target, context);
  },
});
