import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "logout",
  group: "image",
  summary: "Log out from a registry",
  description: "Forgets the account wherever it is kept: in the files of Docker and podman, and with their credential helpers.",
  arguments: [{ name: "SERVER", summary: "Docker Hub when absent", optional: true }],
  flags: {
    all: { type: "boolean", short: "a", summary: "Log out from every registry" },
    authfile: { type: "string", value: "path", summary: "Forget it in this file only", complete: "file" },
  },
  examples: [
    { command: "ramekin logout", summary: "From Docker Hub" },
    { command: "ramekin logout registry.example:5000", summary: "From a registry of your own" },
  ],
  hot: true,
  async run({ flags, arguments: [server] }, context) {
    const { logOut } = await import("../registry/log-out.ts");
    return await logOut(flags, server, context);
  },
});
