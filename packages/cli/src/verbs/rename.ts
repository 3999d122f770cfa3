import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "rename",
  group: "container",
  summary: "Rename a container",
  description: "Whether it runs or not. One that was made with `--rm` keeps its name.",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "container" },
    { name: "NEW_NAME", summary: "What it is called from now on" },
  ],
  flags: {},
  examples: [{ command: "ramekin rename web web-old", summary: "Make room for another container of that name" }],
  hot: true,
  async run({ arguments: [name = "", to = ""] }, context) {
    const engine = await context.engine();
    await (await engine.container(name)).rename(to);
    return 0;
  },
});
