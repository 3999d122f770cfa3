import { detachKeysFlag } from "../container/flags.ts";
import { latestFlag } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "attach",
  group: "container",
  summary: "Attach local standard input, output, and error streams to a running container",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", unless: "latest", complete: "running" }],
  flags: {
    "detach-keys": detachKeysFlag,
    latest: latestFlag,
    "no-stdin": { type: "boolean", summary: "Do not attach STDIN" },
    "sig-proxy": { type: "boolean", default: true, summary: "Proxy all received signals to the process" },
  },
  examples: [{ command: "ramekin attach shell", summary: "Come back to a container that you left with ctrl-p ctrl-q" }],
  hot: true,
  async run({ flags, arguments: given }, context) {
    const { attachContainer } = await import("../container/attach-container.ts");
    const { withContainer } = await import("../container/select-containers.ts");
    const [name] = await withContainer(flags.latest, given, context);
    return await attachContainer(flags, name, context);
  },
});
