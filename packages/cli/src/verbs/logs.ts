import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "logs",
  group: "container",
  summary: "Fetch the logs of a container",
  arguments: [
    {
      name: "CONTAINER",
      summary: "A name, an id, or the beginning of an id; several: one after the other",
      unless: "latest",
      repeats: true,
      complete: "container",
    },
  ],
  flags: {
    color: { type: "boolean", summary: "Each container's lines in a colour of its own" },
    details: { type: "boolean", summary: "Show extra details provided to logs: the log options labels, env and tag" },
    follow: { type: "boolean", short: "f", summary: "Follow log output" },
    latest: latestFlag,
    names: { type: "boolean", summary: "Before each line, the name of its container" },
    since: { type: "string", summary: 'Show logs since timestamp (e.g. "2026-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)' },
    tail: { type: "string", short: "n", default: "all", summary: "Number of lines to show from the end of the logs" },
    timestamps: { type: "boolean", short: "t", summary: "Show timestamps" },
    until: {
      type: "string",
      summary: 'Show logs before a timestamp (e.g. "2026-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  },
  examples: [{ command: "ramekin logs -f --tail 20 web", summary: "The last lines, and what comes" }],
  hot: true,
  async run({ flags, arguments: given }, context) {
    const { showLogs } = await import("../container/show-logs.ts");
    const { withContainer } = await import("../container/select-containers.ts");
    return await showLogs(flags, flags.latest ? await withContainer(true, given, context) : given, context);
  },
});
