import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "fork",
  group: "container",
  summary: "Make a new container from the files of another one, running or not",
  description:
    "The new container is created, not started, with the same options and with the files as they are at that moment: one that runs stands " +
    "still meanwhile, and goes on even if this command is killed. Its memory is not forked. On btrfs and xfs that takes milliseconds; " +
    "elsewhere it costs what the container has written, and the command says so. The new one is not removed when it ends, though the other may be.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "container" }],
  flags: {
    name: { type: "string", summary: "Assign a name to the new container" },
    quiet: { type: "boolean", short: "q", summary: "Do not say what it cost" },
  },
  examples: [{ command: "ramekin fork --name experiment web", summary: "A copy of a running container to try things in" }],
  hot: true,
  async run({ flags, arguments: [name = ""] }, context) {
    const { forkContainer } = await import("../container/fork-container.ts");
    return await forkContainer(name, flags, context);
  },
});
