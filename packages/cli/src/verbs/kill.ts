import { selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "kill",
  group: "container",
  summary: "Kill one or more running containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "running" },
  ],
  flags: {
    signal: { type: "string", short: "s", default: "KILL", summary: "Signal to send to the container" },
    ...selectionFlags,
  },
  examples: [
    { command: "ramekin kill web", summary: "End it at once" },
    { command: "ramekin kill -s HUP web", summary: "Send another signal" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { forEachContainer } = await import("../container/for-each.ts");
    const { parseSignal } = await import("../values/signal.ts");
    const signal = parseSignal(flags.signal);
    const { runs, selectContainers } = await import("../container/select-containers.ts");
    const selected = await selectContainers(flags, names, context, runs);
    return await forEachContainer(context, selected, (container) => container.kill(signal));
  },
});
