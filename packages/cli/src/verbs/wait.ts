import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "wait",
  group: "container",
  summary: "Block until one or more containers stop, then print their exit codes",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", repeats: true, complete: "container" }],
  flags: {},
  examples: [{ command: "ramekin wait job", summary: "Wait for a container, and print the status it ended with" }],
  hot: true,
  async run({ arguments: names }, context) {
    const { forEachName } = await import("../container/for-each.ts");
    const engine = await context.engine();
    return await forEachName(context, names, async (name) => {
      const container = await engine.container(name);
      const { code } = await container.wait({ signal: context.interruption.signal });
      return String(code);
    });
  },
});
