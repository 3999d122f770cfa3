import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "import",
  group: "image",
  summary: "Import the contents from a tarball to create a filesystem image",
  arguments: [
    {
      name: "file|URL|-",
      summary: "A tar of a root file system, plain or compressed with gzip, zstd, xz or bzip2; - is STDIN",
      complete: "file",
    },
    { name: "REPOSITORY[:TAG]", summary: "Its name", optional: true },
  ],
  flags: {
    change: { type: "list", short: "c", summary: "Apply Dockerfile instruction to the created image" },
    message: { type: "string", short: "m", summary: "Set commit message for imported image" },
    platform: { type: "string", summary: "Set the platform of the image; this machine's when absent" },
  },
  examples: [
    {
      command: "debootstrap bookworm root && tar -C root -c . | ramekin import -c 'CMD [\"bash\"]' - debian:own",
      summary: "A Debian of your own",
    },
  ],
  hot: true,
  async run({ flags, arguments: [source = "", name] }, context) {
    const { importImage } = await import("../image/import-image.ts");
    return await importImage(flags, source, name, context);
  },
});
