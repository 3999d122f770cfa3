import { containerFlags, detachKeysFlag, refusedContainerFlags } from "../container/flags.ts";
import { readinessFlags } from "../container/supervision-flags.ts";
import { exitStatus } from "../exit-status.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "run",
  group: "common",
  summary: "Create and run a new container from an image",
  arguments: [
    { name: "IMAGE", summary: "A name, an id, or the beginning of an id; pulled when it is not here", complete: "image" },
    { name: "COMMAND", summary: "In place of the image's own", optional: true },
    { name: "ARG", summary: "Passed to the command", optional: true, repeats: true },
  ],
  flags: {
    ...containerFlags,
    detach: { type: "boolean", short: "d", summary: "Run container in background and print container ID" },
    "detach-keys": detachKeysFlag,
    ...readinessFlags,
    "preserve-fds": { type: "int", value: "number", default: 0, summary: "Pass so many file descriptors, from 3 on, to the container" },
    rmi: { type: "boolean", summary: "Remove the image when the container exits, unless other containers use it; implies --rm" },
    "sig-proxy": { type: "boolean", default: true, summary: "Proxy received signals to the process" },
  },
  refused: refusedContainerFlags,
  examples: [
    { command: "ramekin run --rm ramekin/hello", summary: "See that it works, without any network" },
    { command: "ramekin run --rm -it debian bash", summary: "A shell in a fresh Debian that is gone when you leave" },
    { command: "ramekin run --rm -v ./src:/src -w /src node:24 npm test", summary: "Run tests on the sources here" },
    {
      command: "ramekin run -d --name web --network host --memory 256m nginx",
      summary: "A server in the background, with the host's network",
    },
  ],
  hot: true,
  stopAtArgument: true,
  failure: exitStatus.engine,
  async run({ flags, arguments: words }, context) {
    const { runContainer } = await import("../container/run-container.ts");
    return await runContainer(flags, words, context);
  },
});
