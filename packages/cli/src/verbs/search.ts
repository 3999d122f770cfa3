import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "search",
  group: "image",
  summary: "List the tags of a repository, as its registry has them",
  description:
    "The registry's own list, page by page: what 'podman search --list-tags' shows. Searching for words is a service of Docker Hub's website, not of registries, and is not done here.",
  arguments: [{ name: "REPOSITORY", summary: "As in 'ramekin pull', without a tag" }],
  flags: {
    ...accessFlags,
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation (.Name, .Tag)" },
    limit: { type: "int", summary: "Show so many tags at most; all of them when absent" },
    "list-tags": { type: "boolean", default: true, summary: "List tags; there is nothing else that could be listed" },
    "no-trunc": { type: "boolean", default: true, summary: "Don't truncate output; nothing is" },
  },
  refused: {
    filter: { short: "f", reason: "tags have nothing that could be filtered", hint: "use grep" },
    compatible: { reason: "a registry tells neither stars nor who is official", hint: "leave it away" },
  },
  examples: [
    { command: "ramekin search debian", summary: "What there is of Debian" },
    { command: "ramekin search --format '{{.Name}}:{{.Tag}}' localhost:5000/app", summary: "One name a line, to be pulled" },
  ],
  hot: true,
  async run({ flags, arguments: [repository = ""] }, context) {
    const { listTags } = await import("../registry/list-tags.ts");
    return await listTags(flags, repository, context);
  },
});
