import { contentTrustFlag } from "../image/content-trust.ts";
import { progressFlag } from "../progress/progress-flag.ts";
import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "push",
  group: "common",
  summary: "Upload an image to a registry",
  description:
    "The image goes out byte for byte, with every platform that is here, unless --platform or --compression asks for something else. Layers that the registry has, or has in another repository that this machine knows, do not travel.",
  arguments: [{ name: "NAME[:TAG]", summary: "latest when there is no tag", complete: "image" }],
  flags: {
    ...accessFlags,
    "all-tags": { type: "boolean", short: "a", summary: "Push all tags of an image to the repository" },
    compression: {
      type: "string",
      value: "format[:level]",
      summary: "Compress layers anew with gzip or zstd where they are not; the digest becomes another",
    },
    "disable-content-trust": contentTrustFlag,
    digestfile: { type: "string", value: "file", summary: "Write the digest of what was pushed to the file", complete: "file" },
    platform: { type: "string", summary: "Push one platform as a single-platform image; the index and other platforms stay" },
    progress: progressFlag,
    quiet: { type: "boolean", short: "q", summary: "Suppress verbose output" },
  },
  examples: [
    { command: "ramekin push localhost:5000/app:1.2", summary: "To a registry on this machine" },
    {
      command: "ramekin push --compression zstd:19 --digestfile app.digest registry.example/team/app",
      summary: "Smaller, and the digest for whoever deploys it",
    },
  ],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { pushImage } = await import("../image/push-image.ts");
    return await pushImage(flags, name, context);
  },
});
