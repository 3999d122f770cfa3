import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "pull",
  group: "common",
  summary: "Download an image from a registry",
  arguments: [{ name: "NAME[:TAG|@DIGEST]", summary: "latest when neither is given" }],
  flags: {
    platform: { type: "string", summary: "Choose the platform of a multi-platform image" },
    quiet: { type: "boolean", short: "q", summary: "Suppress verbose output" },
  },
  examples: [
    { command: "ramekin pull debian", summary: "From Docker Hub" },
    { command: "ramekin pull localhost:5000/app:1.2", summary: "From a registry on this machine" },
  ],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { pullImage } = await import("../image/pull-image.ts");
    return await pullImage(flags, name, context);
  },
});
