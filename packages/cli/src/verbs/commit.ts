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
    message: { type: "string", short: "m", summary: "Commit message" },
    pause: { type: "boolean", short: "p", default: true, summary: "Pause container during commit" },
  },
  examples: [{ command: "ramekin commit -c 'CMD [\"nginx\"]' web web:patched", summary: "Keep what you have tried out by hand" }],
  hot: true,
  async run({ flags, arguments: [name = "", target] }, context) {
    const { commitContainer } = await import("../container/commit-container.ts");
    return await commitContainer(flags, name, target, context);
  },
});
