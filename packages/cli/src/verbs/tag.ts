import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "tag",
  group: "image",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  arguments: [
    { name: "SOURCE_IMAGE[:TAG]", summary: "An image that is here", complete: "image" },
    { name: "TARGET_IMAGE[:TAG]", summary: "Its new name; an image that has it loses it" },
  ],
  flags: {},
  examples: [{ command: "ramekin tag debian localhost:5000/debian:12", summary: "Give an image a second name" }],
  hot: true,
  async run({ arguments: [source = "", target = ""] }, context) {
    await (await context.engine()).tag(source, target);
    return 0;
  },
});
