import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "image diff",
  group: "image",
  summary: "Show files that one image has changed over another",
  description: "A is added, C is changed, D is deleted. Without a second image: what the last layer of the first changes.",
  arguments: [
    { name: "IMAGE", summary: "A name, an id, or the beginning of an id", complete: "image" },
    { name: "BASE", summary: "What it is compared with", optional: true, complete: "image" },
  ],
  flags: {
    format: { type: "string", summary: "Lists by kind of change, as one document", choices: ["json"] },
    platform: { type: "string", summary: "Compare a specific platform of multi-platform images" },
  },
  examples: [{ command: "ramekin image diff app:2 app:1", summary: "What a release changes" }],
  hot: true,
  async run({ flags, arguments: [name = "", base] }, context) {
    const { showChanges } = await import("../image/show-changes.ts");
    return await showChanges(flags, name, base, context);
  },
});
