import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "port",
  group: "container",
  summary: "List port mappings or a specific mapping for the container",
  description: "The networks `none` and `host` map no ports, so there is nothing to list for them.",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", optional: true, complete: "container" },
    { name: "PRIVATE_PORT[/PROTO]", summary: "A port in the container; tcp unless said otherwise", optional: true },
  ],
  flags: {
    all: { type: "boolean", short: "a", summary: "Of all containers that run" },
    latest: latestFlag,
  },
  examples: [{ command: "ramekin port web 80/tcp", summary: "Where port 80 can be reached; status 1 when nowhere" }],
  hot: true,
  async run({ flags, arguments: given }, context) {
    const { showPorts } = await import("../container/show-ports.ts");
    return await showPorts(flags, given, context);
  },
});
