import { filterFlag, ignoreFlag, selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "stop",
  group: "container",
  summary: "Stop one or more running containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "running" },
  ],
  flags: {
    signal: { type: "string", short: "s", summary: "Signal to send to the container" },
    timeout: { type: "int", short: "t", summary: "Seconds to wait before killing the container" },
    time: { type: "int", summary: "The same as --timeout" },
    ...selectionFlags,
    filter: filterFlag,
    ignore: ignoreFlag,
  },
  examples: [
    { command: "ramekin stop web", summary: "Ask the container to end; kill it if it has not after 10 seconds" },
    { command: "ramekin stop -t 0 web", summary: "Kill it at once" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { stopContainers } = await import("../container/stop-containers.ts");
    return await stopContainers(flags, names, context);
  },
});
