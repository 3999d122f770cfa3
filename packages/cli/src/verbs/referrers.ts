import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "referrers",
  group: "image",
  summary: "List what a registry has about an image: signatures, SBOMs, provenance",
  description:
    "Manifests that name the image as their subject, by the registry's referrers API or, where it has none, by the tag that stands for it. An image of several platforms and its images have lists of their own: name one of the latter by its digest.",
  arguments: [{ name: "NAME[:TAG|@DIGEST]", summary: "As in 'ramekin pull'; nothing is pulled" }],
  flags: {
    ...accessFlags,
    "artifact-type": { type: "string", value: "type", summary: "Only those of this type" },
    format: {
      type: "string",
      summary:
        "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation (.Digest, .ArtifactType, .MediaType, .Size, .Annotations, .Annotation \"key\")",
    },
    quiet: { type: "boolean", short: "q", summary: "Only show digests" },
  },
  examples: [
    { command: "ramekin referrers registry.example/app:1.2", summary: "Who says what about this image" },
    { command: "ramekin referrers -q --artifact-type application/spdx+json registry.example/app", summary: "Its SBOMs" },
  ],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { listReferrers } = await import("../registry/list-referrers.ts");
    return await listReferrers(flags, name, context);
  },
});
