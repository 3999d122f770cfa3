import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "explain",
  group: "container",
  summary: "Show what a run or create would do, and why, without doing it",
  description:
    "Prints the exact specification that the runtime would get (process, mounts, capabilities, limits, namespaces) and where each part comes " +
    "from: a flag, the image, or the defaults. Starts nothing, makes nothing, pulls nothing.",
  arguments: [
    { name: "VERB", summary: "run or create" },
    { name: "ARG", summary: "Its flags, the image and the command", repeats: true },
  ],
  flags: {
    all: { type: "boolean", short: "a", summary: "Also what is as it is by default" },
    format: { type: "string", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
  },
  examples: [
    { command: "ramekin explain run --cap-drop ALL --memory 64m nginx", summary: "What these flags and the image change" },
    { command: "ramekin explain --format json run nginx", summary: "The whole specification, with the source of each part" },
  ],
  hot: true,
  stopAtArgument: true,
  async run({ flags, arguments: words }, context) {
    const { explainRun } = await import("../container/explain-run.ts");
    return await explainRun(flags, words, context);
  },
});
