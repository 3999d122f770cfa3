import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "manifest create",
  group: "image",
  summary: "Create a local manifest list for annotating and pushing to a registry",
  description:
    "Each image is looked for in its registry, and if that does not have it, here. The platforms are those that the images name themselves. The list is an image like others: 'images' shows it, 'tag' names it, 'rmi' removes it. It is of Docker's format when all its images are, else of OCI's.",
  arguments: [
    { name: "MANIFEST_LIST", summary: "The list's name, where it will be pushed to" },
    { name: "MANIFEST", summary: "An image for one platform", repeats: true, complete: "image" },
  ],
  flags: {
    amend: { type: "boolean", short: "a", summary: "Amend an existing manifest list" },
    insecure: { type: "boolean", summary: "Allow communication with an insecure registry" },
  },
  examples: [
    {
      command: "ramekin manifest create registry.example/app registry.example/app:amd64 registry.example/app:arm64",
      summary: "One name for two platforms",
    },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { createList } = await import("../manifest/create-list.ts");
    return await createList(flags, names, context);
  },
});
