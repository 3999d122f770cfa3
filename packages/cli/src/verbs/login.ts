import { accessFlags } from "../registry/access-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "login",
  group: "image",
  summary: "Log in to a registry",
  description:
    "The registry is asked whether it knows the account, and then the account is kept where Docker keeps it: with the credential helper that ~/.docker/config.json names, else in that file, unencrypted. Without flags, an account that is kept already is tried first; else user name and password are asked for at the terminal.",
  arguments: [{ name: "SERVER", summary: "Docker Hub when absent", optional: true }],
  flags: {
    authfile: { type: "string", value: "path", summary: "Keep the account in this file, as podman's auth.json", complete: "file" },
    "cert-dir": accessFlags["cert-dir"],
    "get-login": { type: "boolean", summary: "Print the user name that is kept, and do nothing else" },
    password: { type: "string", short: "p", summary: "Password or access token; everybody on this machine can see it here" },
    "password-stdin": { type: "boolean", summary: "Take the password from stdin" },
    "tls-verify": accessFlags["tls-verify"],
    username: { type: "string", short: "u", summary: "Username" },
    verbose: { type: "boolean", short: "v", summary: "Print where the account is kept" },
  },
  examples: [
    { command: "ramekin login", summary: "Docker Hub, asking for user name and password" },
    { command: "ramekin login -u robot --password-stdin registry.example < token", summary: "In a script" },
  ],
  hot: true,
  async run({ flags, arguments: [server] }, context) {
    const { logIn } = await import("../registry/log-in.ts");
    return await logIn(flags, server, context);
  },
});
