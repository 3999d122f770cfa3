import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system start-all",
  group: "system",
  summary: "Start the containers that come back after a restart of the machine",
  description:
    "Those with the restart policy `always`, and those with `unless-stopped` that nobody had stopped, if they have not run since the machine came up. Prints their names.",
  arguments: [],
  flags: {},
  examples: [{ command: "ramekin system start-all", summary: "What the service of 'ramekin system service install' does at boot" }],
  hot: true,
  async run(_, context) {
    const { startAll } = await import("../system/start-all.ts");
    return await startAll(context);
  },
});
