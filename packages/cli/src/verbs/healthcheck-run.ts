import { exitStatus } from "../exit-status.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "healthcheck run",
  group: "container",
  summary: "Run the health check of a container now",
  description: "Exit status 0 when the check succeeds, 1 when it does not, 125 when there is none to run. The result counts as any other.",
  arguments: [{ name: "CONTAINER", summary: "A name, an id, or the beginning of an id", complete: "running" }],
  flags: {},
  examples: [{ command: "ramekin healthcheck run web && echo fine", summary: "Ask now, not at the next interval" }],
  hot: true,
  failure: exitStatus.engine,
  async run({ arguments: [name = ""] }, context) {
    const engine = await context.engine();
    const container = await engine.container(name);
    const { result } = await container.checkHealth({ signal: context.interruption.signal });
    if (result.exitCode === 0) return exitStatus.ok;
    context.print("unhealthy"); // podman's word, whatever the status has become
    return exitStatus.failure;
  },
});
