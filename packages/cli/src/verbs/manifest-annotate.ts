import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "manifest annotate",
  group: "image",
  summary: "Say for what platform an image of a local manifest list is",
  arguments: [
    { name: "MANIFEST_LIST", summary: "A list that is here", complete: "image" },
    { name: "MANIFEST", summary: "One of its images: the name it was added by, or its digest", complete: "image" },
  ],
  flags: {
    arch: { type: "string", summary: "Set architecture" },
    os: { type: "string", summary: "Set operating system" },
    "os-features": { type: "list", summary: "Add operating system features, separated by commas" },
    "os-version": { type: "string", summary: "Set operating system version" },
    variant: { type: "string", summary: "Set architecture variant" },
  },
  examples: [
    {
      command: "ramekin manifest annotate --arch arm --variant v6 registry.example/app registry.example/app:pi",
      summary: "Where the image itself does not say it, or says it wrong",
    },
  ],
  hot: true,
  async run({ flags, arguments: [list = "", member = ""] }, context) {
    const engine = await context.engine();
    await engine.annotateManifest(list, member, {
      ...(flags.arch !== undefined && { architecture: flags.arch }),
      ...(flags.os !== undefined && { os: flags.os }),
      ...(flags.variant !== undefined && { variant: flags.variant }),
      ...(flags["os-version"] !== undefined && { osVersion: flags["os-version"] }),
      osFeatures: flags["os-features"].flatMap((each) => each.split(",")).filter((each) => each !== ""),
    });
    return 0;
  },
});
