import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "manifest push",
  group: "image",
  summary: "Push a manifest list to a repository",
  description:
    "The images of the list go first, into the list's own repository: by a mount where the registry has them, else from here or from the registry where they are, which may be another one. The last line is the digest of the list.",
  arguments: [{ name: "MANIFEST_LIST", summary: "A list that is here", complete: "image" }],
  flags: {
    ...accessFlags,
    insecure: { type: "boolean", summary: "Allow push to an insecure registry" },
    purge: { type: "boolean", short: "p", summary: "Remove the local manifest list after push" },
  },
  examples: [{ command: "ramekin manifest push --purge registry.example/app", summary: "What 'manifest create' has made" }],
  hot: true,
  async run({ flags, arguments: [list = ""] }, context) {
    const { pushList } = await import("../manifest/push-list.ts");
    return await pushList(flags, list, context);
  },
});
