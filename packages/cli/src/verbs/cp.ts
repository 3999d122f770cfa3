import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "cp",
  group: "container",
  summary: "Copy files/folders between a container and the local filesystem",
  description:
    "One of the two is CONTAINER:PATH. As a source, - is a tar archive on STDIN, which is unpacked into a directory; as a target, one on STDOUT. A container need not run.",
  arguments: [
    { name: "SOURCE", summary: "CONTAINER:PATH, a path here, or -; what ends in /. is a directory's content", complete: "file" },
    { name: "TARGET", summary: "A path here, CONTAINER:PATH, or -", complete: "file" },
  ],
  flags: {
    archive: { type: "boolean", short: "a", summary: "Archive mode (copy all uid/gid information)" },
    "follow-link": { type: "boolean", short: "L", summary: "Always follow symbol link in SRC_PATH" },
    quiet: { type: "boolean", short: "q", summary: "Suppress progress output during copy" },
  },
  refused: {
    overwrite: {
      reason: "a directory never takes the place of a file, nor a file that of a directory",
      hint: "remove what is there first",
    },
  },
  examples: [
    { command: "ramekin cp web:/etc/nginx/nginx.conf .", summary: "A file out of a container" },
    { command: "ramekin cp ./site/. web:/srv", summary: "What is in a directory, into one" },
    { command: "ramekin cp web:/var/log - | tar -t", summary: "As an archive" },
  ],
  hot: true,
  async run({ flags, arguments: [from = "", to = ""] }, context) {
    const { copyFiles } = await import("../container/copy-files.ts");
    return await copyFiles(flags, from, to, context);
  },
});
