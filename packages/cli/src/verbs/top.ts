import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "top",
  group: "container",
  summary: "Display the running processes of a container",
  description: "What the host's `ps` knows of them: pids are those of the host. Without options it is `ps -ef`.",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", complete: "running" },
    { name: "PS_OPTION", summary: "Passed to ps", optional: true, repeats: true },
  ],
  flags: { latest: latestFlag },
  examples: [
    { command: "ramekin top web", summary: "Who runs in it" },
    { command: "ramekin top web -o pid,rss,args", summary: "Columns of your own" },
  ],
  hot: true,
  stopAtArgument: true,
  async run({ flags, arguments: given }, context) {
    const { showProcesses } = await import("../container/show-processes.ts");
    const { withContainer } = await import("../container/select-containers.ts");
    const [name, ...options] = await withContainer(flags.latest, given, context);
    return await showProcesses(name, options, context);
  },
});
