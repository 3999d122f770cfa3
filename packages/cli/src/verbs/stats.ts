import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "stats",
  group: "container",
  summary: "Display a live stream of container(s) resource usage statistics",
  description:
    "Memory is without the page cache that nobody has used for long; 100 % of CPU is one processor. On a terminal the table is drawn anew each time.",
  arguments: [
    {
      name: "CONTAINER",
      summary: "A name, an id, or the beginning of an id; all that run when absent",
      optional: true,
      repeats: true,
      complete: "running",
    },
  ],
  flags: {
    all: { type: "boolean", short: "a", summary: "Show all containers (default shows just running)" },
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    latest: latestFlag,
    interval: { type: "decimal", short: "i", default: 1, value: "seconds", summary: "Time between two readings" },
    "no-reset": { type: "boolean", summary: "Print one table below the other on a terminal too" },
    "no-stream": { type: "boolean", summary: "Disable streaming stats and only pull the first result" },
    "no-trunc": { type: "boolean", summary: "Do not truncate output" },
  },
  examples: [
    { command: "ramekin stats", summary: "Everything that runs, once a second" },
    { command: "ramekin stats --no-stream --format '{{.Name}} {{.MemUsage}}' web", summary: "One line for a script" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { showStats } = await import("../container/show-stats.ts");
    const { latestContainer } = await import("../container/select-containers.ts");
    if (flags.latest && (flags.all || names.length > 0)) {
      const { UsageError } = await import("../argv/status-error.ts");
      throw new UsageError("conflicting options: --latest, and --all or names", { hint: "one way of saying which containers" });
    }
    return await showStats(flags, flags.latest ? [await latestContainer(context)] : names, context);
  },
});
