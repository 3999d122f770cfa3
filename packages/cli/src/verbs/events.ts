import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "events",
  group: "system",
  summary: "Show what happens, as it happens",
  description:
    "Every process of Ramekin and every container's supervisor writes down what it does, so that events are seen whoever causes them, " +
    "and later too. With --until in the past the command ends when all is shown.",
  arguments: [],
  flags: {
    filter: {
      type: "list",
      short: "f",
      value: "filter",
      summary: "Filter output: container, event, image, label, network, type, volume",
    },
    format: { type: "string", summary: "Format output: 'json', or a TEMPLATE in Go's notation" },
    "no-trunc": { type: "boolean", default: true, summary: "Do not truncate ids in lines without a format of their own" },
    since: { type: "string", summary: 'Show all events from a timestamp on (e.g. "2026-01-02T13:23:37Z") or relative (e.g. "42m")' },
    stream: { type: "boolean", default: true, summary: "Go on with what comes; false: end after what is known" },
    until: { type: "string", summary: "End with what happened up to a timestamp" },
  },
  examples: [
    { command: "ramekin events --filter event=die", summary: "Which containers end, from now on" },
    { command: "ramekin events --since 1h --until 0s", summary: "What the last hour brought" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { showEvents } = await import("../system/show-events.ts");
    return await showEvents(flags, context);
  },
});
