import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "top",
  group: "container",
  summary: "Display the running processes of a container",
  description: "What the host's `ps` knows of them: pids are those of the host. Without options it is `ps -ef`.",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "running" },
    { name: "PS_OPTION", summary: "Passed to ps", optional: true, repeats: true },
  ],
  flags: {},
  examples: [
    { command: "ramekin top web", summary: "Who runs in it" },
    { command: "ramekin top web -o pid,rss,args", summary: "Columns of your own" },
  ],
  hot: true,
  stopAtArgument: true,
  async run({ arguments: [name = "", ...options] }, context) {
    const { showProcesses } = await import("../container/show-processes.ts");
    return await showProcesses(name, options, context);
  },
});
