import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "doctor",
  group: "system",
  summary: "Say what works on this machine, what does not, and what to do about it",
  description:
    "Probes every driver and changes nothing. The status is 0 when a container can run here, and 1 when something that every container needs has no driver that works.",
  arguments: [],
  flags: {
    json: { type: "boolean", summary: "Print the report as JSON" },
  },
  examples: [{ command: "ramekin doctor", summary: "Look at every driver" }],
  hot: false,
  async run({ flags: { json } }, context) {
    const { examine } = await import("../system/examine.ts");
    return await examine(json, context);
  },
});
