import { detachKeysFlag } from "../container/flags.ts";
import { latestFlag } from "../container/selection-flags.ts";
import { exitStatus } from "../exit-status.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "exec",
  group: "common",
  summary: "Execute a command in a running container",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", complete: "running" },
    { name: "COMMAND", summary: "A program in the container" },
    { name: "ARG", summary: "Passed to the command", optional: true, repeats: true },
  ],
  flags: {
    detach: { type: "boolean", short: "d", summary: "Detached mode: run command in the background" },
    "detach-keys": detachKeysFlag,
    env: { type: "list", short: "e", summary: "Set environment variables" },
    "env-file": { type: "list", summary: "Read in a file of environment variables", complete: "file" },
    interactive: { type: "boolean", short: "i", summary: "Keep STDIN open even if not attached" },
    latest: latestFlag,
    privileged: { type: "boolean", summary: "Give extended privileges to the command" },
    tty: { type: "boolean", short: "t", summary: "Allocate a pseudo-TTY" },
    user: { type: "string", short: "u", summary: "Username or UID (format: <name|uid>[:<group|gid>])" },
    workdir: { type: "string", short: "w", summary: "Working directory inside the container" },
  },
  refused: {
    "preserve-fds": {
      reason: "the supervisor makes the process, and takes none of this command's descriptors along",
      hint: "-i passes stdin on",
    },
  },
  examples: [
    { command: "ramekin exec -it web sh", summary: "A shell beside what runs" },
    { command: "ramekin exec -u postgres db psql -l", summary: "As another user" },
  ],
  hot: true,
  stopAtArgument: true,
  failure: exitStatus.failure,
  async run({ flags, arguments: given }, context) {
    const { execCommand } = await import("../container/exec-command.ts");
    // without --latest nothing of that is loaded: an exec is a matter of milliseconds
    const [name = "", ...command] = flags.latest
      ? await (await import("../container/select-containers.ts")).withContainer(true, given, context)
      : given;
    return await execCommand(flags, name, command, context);
  },
});
