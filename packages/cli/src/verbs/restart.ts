import { filterFlag, selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "restart",
  group: "container",
  summary: "Restart one or more containers",
  description:
    "One that does not run is started. One that was made with `--rm` and runs is refused: it would be removed when it has stopped.",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "container" },
  ],
  flags: {
    signal: { type: "string", short: "s", summary: "Signal to send to the container" },
    timeout: { type: "int", short: "t", summary: "Seconds to wait before killing the container" },
    time: { type: "int", summary: "The same as --timeout" },
    running: { type: "boolean", summary: "All containers that run" },
    ...selectionFlags,
    filter: filterFlag,
  },
  examples: [{ command: "ramekin restart -t 2 web", summary: "Stop it, by force after 2 seconds, and start it again" }],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { restartContainers } = await import("../container/restart-containers.ts");
    return await restartContainers(flags, names, context);
  },
});
