import { isRamekinError, RamekinError } from "@ramekin/core";
import type { Container, ContainerOptions, Engine } from "@ramekin/engine";
import { familiarReference, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { watchPull } from "../progress/watch-pull.ts";
import { claimCidfile } from "./cidfile.ts";
import { type ContainerFlagValues, containerOptions } from "./options.ts";

/** What the flags do not say by themselves: how the command will be used. */
export type Usage = Pick<ContainerOptions, "attach" | "stdin"> & Partial<Pick<ContainerOptions, "windowSize">>;

/** The first half of `run`, and all of `create`. Interrupted, it leaves neither container nor cidfile. */
export async function createContainer(
  context: Context,
  flags: ContainerFlagValues,
  words: readonly string[],
  usage: Usage,
): Promise<Container> {
  const options = await containerOptions(flags, words, { environment: context.environment, workingDirectory: process.cwd() });
  const cidfile = flags.cidfile === undefined ? undefined : await claimCidfile(flags.cidfile);
  try {
    const engine = await context.engine();
    if (flags.replace) await removePredecessor(engine, options.name);
    using progress = watchPull(context.stderr, {
      quiet: flags.quiet,
      ...(options.pull === "missing" && { heading: () => missing(options.image) }),
    });
    const { signal } = context.interruption;
    const container = await engine.create({ ...options, ...usage, signal, onProgress: progress.report });
    progress[Symbol.dispose]();
    if (signal.aborted) {
      await container.remove({ force: true });
      signal.throwIfAborted();
    }
    await cidfile?.write(container.id);
    return container;
  } catch (error) {
    await cidfile?.discard();
    throw error;
  }
}

async function removePredecessor(engine: Engine, name: string | undefined): Promise<void> {
  if (name === undefined)
    throw new RamekinError("INVALID_ARGUMENT", "--replace needs the name of what it replaces", { hint: "--name NAME" });
  try {
    await (await engine.container(name)).remove({ force: true });
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND")) throw error;
  }
}

/** Docker's words, before the first layer of an image that had to be fetched. */
function missing(image: string): string {
  return `Unable to find image '${familiarReference(parseReference(image))}' locally`;
}
