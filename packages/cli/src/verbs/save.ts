import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "save",
  group: "image",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  description:
    "The default format, dual, is docker's own: an OCI layout with a manifest.json, readable by both kinds of tools. The others are podman's. A name that ends in .gz or .zst, or --compress, compresses the archive as a whole. Of a multi-platform image, all that is here is saved.",
  arguments: [{ name: "IMAGE", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "image" }],
  flags: {
    compress: { type: "string", summary: "Compress the archive, or do not, whatever its name", choices: ["gzip", "zstd", "none"] },
    format: {
      type: "string",
      default: "dual",
      summary: "What to write; the last two are directories",
      choices: ["dual", "docker-archive", "oci-archive", "oci-dir", "docker-dir"],
    },
    "multi-image-archive": { type: "boolean", short: "m", default: true, summary: "Every argument is an image to be saved" },
    output: { type: "string", short: "o", summary: "Write to a file, instead of STDOUT", complete: "file" },
    platform: { type: "string", summary: "Save only the given platform variant" },
  },
  refused: {
    quiet: { short: "q", reason: "nothing is said, only warnings", hint: "leave it away, or --log-level error" },
    uncompressed: { reason: "layers are saved byte for byte", hint: "--format docker-archive has them uncompressed" },
  },
  examples: [
    { command: "ramekin save -o images.tar.zst debian node:24", summary: "Two images in one compressed archive" },
    { command: "ramekin save debian | docker load", summary: "Straight into another engine" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { saveImages } = await import("../image/save-images.ts");
    return await saveImages(flags, names, context);
  },
});
