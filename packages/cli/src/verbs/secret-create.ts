import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "secret create",
  group: "secret",
  summary: "Create a secret",
  description: "Containers get it by 'run --secret', and nobody else: it is in no image, no configuration and no output.",
  arguments: [
    { name: "NAME", summary: "What it is called" },
    { name: "SOURCE", summary: "A file, - for STDIN, or with --env the name of a variable", complete: "file" },
  ],
  flags: {
    env: { type: "boolean", summary: "The source is the name of an environment variable" },
    label: { type: "list", short: "l", summary: "Set metadata on the secret" },
    replace: { type: "boolean", summary: "In place of one of that name" },
  },
  examples: [{ command: "ramekin secret create db-password ./password.txt", summary: "Out of a file" }],
  hot: true,
  async run({ flags, arguments: [name = "", source = ""] }, context) {
    const { createSecret } = await import("../secret/create-secret.ts");
    return await createSecret(flags, name, source, context);
  },
});
