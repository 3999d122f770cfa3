import { filterFlag, ignoreFlag, selectionFlags } from "../container/selection-flags.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "rm",
  group: "container",
  summary: "Remove one or more containers",
  arguments: [
    { name: "CONTAINER", summary: "A name, an id, or the beginning of an id", optional: true, repeats: true, complete: "container" },
  ],
  flags: {
    force: { type: "boolean", short: "f", summary: "Force the removal of a running container (uses SIGKILL)" },
    ...selectionFlags,
    // -l is Docker's for --link
    latest: { type: "boolean", summary: selectionFlags.latest.summary },
    filter: { type: "list", value: "filter", summary: filterFlag.summary },
    ignore: ignoreFlag,
    time: { type: "int", value: "seconds", summary: "With --force: seconds to let a container that runs stop by itself (-1: for ever)" },
    volumes: { type: "boolean", short: "v", summary: "Remove anonymous volumes associated with the container" },
  },
  refused: {
    depend: { reason: "a container that shares another's namespaces keeps them when that is removed", hint: "name it, too" },
    link: { short: "l", reason: "links need the network driver bridge, which this version does not have" },
  },
  examples: [
    { command: "ramekin rm job", summary: "Remove a container that has ended" },
    { command: "ramekin rm -f web", summary: "Remove it though it runs" },
  ],
  hot: true,
  async run({ flags, arguments: names }, context) {
    const { force, volumes, ignore, time } = flags;
    if (time !== undefined && !force) {
      const { UsageError } = await import("../argv/status-error.ts");
      throw new UsageError("--force option must be specified to use the --time option");
    }
    const { forEachName } = await import("../container/for-each.ts");
    const { isRamekinError } = await import("@ramekin/core");
    const engine = await context.engine();
    const { runs, selectContainers } = await import("../container/select-containers.ts");
    const selected = await selectContainers(flags, names, context, (container) => force || !runs(container));
    return await forEachName(context, selected, async (name) => {
      try {
        const container = await engine.container(name);
        if (time !== undefined && runs(await container.inspect())) await container.stop({ timeout: time });
        await container.remove({ force, volumes });
        return name;
      } catch (error) {
        // with --force it is enough that it is not there
        if (!(force || ignore) || !isRamekinError(error, "NOT_FOUND")) throw error;
        if (!ignore) context.note(`ramekin: ${error.message}`);
        return undefined;
      }
    });
  },
});
