import { contentTrustFlag } from "../image/content-trust.ts";
import { progressFlag } from "../progress/progress-flag.ts";
import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "pull",
  group: "common",
  summary: "Download an image from a registry",
  arguments: [{ name: "NAME[:TAG|@DIGEST]", summary: "latest when neither is given" }],
  flags: {
    ...accessFlags,
    "all-platforms": { type: "boolean", summary: "Download every platform of a multi-platform image" },
    "all-tags": { type: "boolean", short: "a", summary: "Download all tagged images in the repository" },
    arch: { type: "string", value: "arch", summary: "Choose the image for this architecture instead of the machine's" },
    "disable-content-trust": contentTrustFlag,
    os: { type: "string", value: "os", summary: "Choose the image for this operating system instead of linux" },
    platform: { type: "string", summary: "Choose the platform of a multi-platform image" },
    progress: progressFlag,
    quiet: { type: "boolean", short: "q", summary: "Suppress verbose output" },
    variant: { type: "string", value: "variant", summary: "Choose the image for this variant of the architecture" },
  },
  examples: [
    { command: "ramekin pull debian", summary: "From Docker Hub" },
    { command: "ramekin pull localhost:5000/app:1.2", summary: "From a registry on this machine" },
    {
      command: "ramekin pull --all-platforms --progress json debian",
      summary: "For every machine, with a document per line to read by program",
    },
  ],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { pullImage } = await import("../image/pull-image.ts");
    return await pullImage(flags, name, context);
  },
});
