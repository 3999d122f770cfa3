import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "kill",
  group: "container",
  summary: "Kill one or more running containers",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "running" }],
  flags: {
    signal: { type: "string", short: "s", default: "KILL", summary: "Signal to send to the container" },
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
    return await forEachContainer(context, names, (container) => container.kill(signal));
  },
});
