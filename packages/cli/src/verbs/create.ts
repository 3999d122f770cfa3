import { containerFlags, refusedContainerFlags } from "../container/flags.ts";
import { exitStatus } from "../exit-status.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "create",
  group: "container",
  summary: "Create a new container",
  arguments: [
    { name: "IMAGE", summary: "A name, an id, or the beginning of an id; pulled when it is not here", complete: "image" },
    { name: "COMMAND", summary: "In place of the image's own", optional: true },
    { name: "ARG", summary: "Passed to the command", optional: true, repeats: true },
  ],
  flags: containerFlags,
  refused: {
    ...refusedContainerFlags,
    "preserve-fds": {
      reason: "descriptors are passed on by who starts a container, and this command ends before that",
      hint: "ramekin run has --preserve-fds",
    },
  },
  examples: [
    {
      command: "ramekin create --name db -e POSTGRES_PASSWORD=secret postgres",
      summary: "Prepare a container; 'ramekin start db' runs it",
    },
  ],
  hot: true,
  stopAtArgument: true,
  failure: exitStatus.engine,
  async run({ flags, arguments: words }, context) {
    const { attachedStreams, chooseStreams } = await import("../container/streams.ts");
    const { createContainer } = await import("../container/create-container.ts");
    const { stdinFor } = await import("../container/run-container.ts");
    const streams = chooseStreams(flags.attach, flags.interactive, false);
    const usage = { attach: attachedStreams(streams), stdin: stdinFor(flags.interactive, streams.stdin) };
    const container = await createContainer(context, flags, words, usage);
    context.print(container.id);
    return exitStatus.ok;
  },
});
