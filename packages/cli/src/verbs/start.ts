import { detachKeysFlag } from "../container/flags.ts";
import { filterFlag, selectionFlags } from "../container/selection-flags.ts";
import { readinessFlags } from "../container/supervision-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "start",
  group: "container",
  summary: "Start one or more stopped containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "stopped" },
  ],
  flags: {
    attach: { type: "boolean", short: "a", summary: "Attach STDOUT/STDERR and forward signals" },
    "detach-keys": detachKeysFlag,
    interactive: { type: "boolean", short: "i", summary: "Attach container's STDIN" },
    ...readinessFlags,
    // -a attaches
    all: { type: "boolean", summary: selectionFlags.all.summary },
    filter: filterFlag,
    latest: selectionFlags.latest,
    "sig-proxy": { type: "boolean", summary: "Proxy received signals to the process, at a terminal too" },
  },
  refused: {
    checkpoint: { reason: "checkpoints need CRIU, which this version does not use" },
    "checkpoint-dir": { reason: "checkpoints need CRIU, which this version does not use" },
  },
  examples: [
    { command: "ramekin start web", summary: "Run it again, in the background" },
    { command: "ramekin start -ai shell", summary: "Run it again, with your terminal attached" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { startContainers } = await import("../container/start-containers.ts");
    return await startContainers(flags, names, context);
  },
});
