import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system prune",
  group: "system",
  summary: "Put right what crashes have left behind",
  description:
    "Removes half-made containers and images, and content that no image and no container refers to. What you made and can see in 'ramekin ps -a' and 'ramekin images' stays.",
  arguments: [],
  flags: {
    force: { type: "boolean", short: "f", summary: "Do not prompt for confirmation" },
  },
  examples: [
    { command: "ramekin system prune", summary: "After a crash: containers that lost their supervisor, layers that nothing needs" },
  ],
  hot: false,
  async run({ flags: { force } }, context) {
    const { pruneLeftovers } = await import("../system/prune-leftovers.ts");
    return await pruneLeftovers(force, context);
  },
});
