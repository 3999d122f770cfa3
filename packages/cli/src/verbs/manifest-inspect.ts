import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "manifest inspect",
  group: "image",
  summary: "Display an image manifest, or manifest list",
  description:
    "A list that 'manifest create' has made comes first, then what the registry has, which is not pulled, and last an image that is here. With two arguments, the second is a member of the list that the first names. What is printed is the document itself, only with line breaks.",
  arguments: [
    { name: "MANIFEST_LIST", summary: "An image or a list; before MANIFEST, a list that is here", complete: "image" },
    { name: "MANIFEST", summary: "One of the list's images: the name it was added by, or its digest", optional: true, complete: "image" },
  ],
  flags: {
    ...accessFlags,
    insecure: { type: "boolean", summary: "Allow communication with an insecure registry" },
    verbose: { type: "boolean", short: "v", summary: "Output additional info including layers and platform" },
  },
  examples: [
    { command: "ramekin manifest inspect debian:12", summary: "Which platforms an image is for, without a pull" },
    { command: "ramekin manifest inspect -v localhost:5000/app localhost:5000/app:arm64", summary: "One image of a list that is here" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { inspectManifest } = await import("../manifest/inspect-manifest.ts");
    return await inspectManifest(flags, names, context);
  },
});
