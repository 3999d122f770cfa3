import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "manifest rm",
  group: "image",
  summary: "Delete one or more manifest lists from local storage",
  arguments: [{ name: "MANIFEST_LIST", summary: "A list that is here", repeats: true, complete: "image" }],
  flags: {},
  examples: [{ command: "ramekin manifest rm registry.example/app", summary: "The registry keeps what was pushed" }],
  hot: true,
  async run({ arguments: lists }, context) {
    const { removeLists } = await import("../manifest/remove-lists.ts");
    return await removeLists(lists, context);
  },
});
