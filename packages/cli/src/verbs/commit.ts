import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "commit",
  group: "container",
  summary: "Create a new image from a container's changes",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "container" },
    { name: "REPOSITORY[:TAG]", summary: "Its name", optional: true },
  ],
  flags: {
    author: { type: "string", short: "a", summary: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    change: { type: "list", short: "c", summary: "Apply Dockerfile instruction to the created image" },
    iidfile: { type: "string", value: "file", summary: "Write the image's ID to the file", complete: "file" },
    message: { type: "string", short: "m", summary: "Commit message" },
    pause: { type: "boolean", short: "p", default: true, summary: "Pause container during commit" },
    quiet: { type: "boolean", short: "q", summary: "Print nothing but the image's ID" },
  },
  refused: {
    format: {
      short: "f",
      reason: "images are OCI's; those who store another format convert them",
      hint: "ramekin save --format docker-archive writes Docker's",
    },
    "include-volumes": { reason: "what is in a volume belongs to no image", hint: "ramekin cp copies it into the container's own files" },
    squash: {
      short: "s",
      reason: "a commit adds one layer to those of the image",
      hint: "ramekin image squash makes one layer of them all",
    },
  },
  examples: [{ command: "ramekin commit -c 'CMD [\"nginx\"]' web web:patched", summary: "Keep what you have tried out by hand" }],
  hot: true,
  async run({ flags, arguments: [name = "", target] }, context) {
    const { commitContainer } = await import("../container/commit-container.ts");
    return await commitContainer(flags, name, target, context);
  },
});
