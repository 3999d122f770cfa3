import { posix } from "node:path";
import { type BuildFiles, type BuildLayer, type Cancellable, type Digest, RamekinError, type Stack } from "@ramekin/core";
import { cleanPath, type TransferStep } from "@ramekin/dockerfile";
import { cacheKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import { makeDirectory } from "./directory.ts";
import { type ModeChange, parseMode } from "./mode.ts";
import { type ForeignSource, isForeign, type LocalSource, type TransferSource } from "./source.ts";
import { type TreeEntry, tarOf } from "./tree-entry.ts";
import type { Workbench } from "./workbench.ts";

/** The inputs of a COPY or ADD: what its sources hold, not where they lie. */
export async function transferKey(
  bench: Workbench,
  before: Digest,
  step: TransferStep,
  sources: readonly TransferSource[],
): Promise<Digest> {
  const { type, destination, chown, chmod, link, parents, unpack } = step;
  const inputs: (readonly [name: string, content: string])[] = [];
  for (const source of sources) {
    inputs.push([source.kind === "directory" ? "" : source.name, await sourceDigest(source, bench)]);
  }
  // What is linked does not depend on what it is linked to: it is the same layer on any.
  return cacheKey(type, link ? undefined : before, { inputs, destination, chown, chmod, link, parents, unpack });
}

function sourceDigest(source: TransferSource, options: Cancellable): Promise<string> {
  if (isForeign(source)) return source.digest();
  return source.digest ? source.digest() : contentDigest(source.entries(), options);
}

export async function transferStep(
  bench: Workbench,
  stack: Stack,
  step: TransferStep,
  sources: readonly TransferSource[],
): Promise<BuildLayer | undefined> {
  const { destination } = step;
  const several = sources.length > 1;
  if (several && !destination.endsWith("/")) {
    const name = step.type.toUpperCase();
    const message = `When using ${name} with more than one source file, the destination must be a directory and end with a /`;
    throw new RamekinError("INVALID_ARGUMENT", message);
  }
  const chmod = step.chmod === undefined || step.chmod === "" ? undefined : parseMode(step.chmod);
  if (sources.length === 0) return undefined;
  const isDirectory = destination.endsWith("/") || destination.endsWith("/.") || sources.some(({ kind }) => kind === "directory");
  const place = (files: BuildFiles) => new Placing(bench, files, step, chmod).all(sources, cleanPath(destination), isDirectory);
  const { session, signal } = bench;
  return step.link ? session.layer(place, { signal }) : session.change(stack, place, { signal });
}

/** Sources on their way into the files of a stage. */
class Placing {
  readonly #bench: Workbench;
  readonly #files: BuildFiles;
  readonly #step: TransferStep;
  readonly #chmod: ModeChange | undefined;
  readonly #user: { readonly user?: string };

  constructor(bench: Workbench, files: BuildFiles, step: TransferStep, chmod: ModeChange | undefined) {
    this.#bench = bench;
    this.#files = files;
    this.#step = step;
    this.#chmod = chmod;
    this.#user = step.chown === undefined ? {} : { user: step.chown };
  }

  /** A file that goes to a directory goes into it, though nothing says that it is one. */
  async all(sources: readonly TransferSource[], target: string, asked: boolean): Promise<void> {
    const isDirectory = asked || target === "/" || (await this.#files.look(target, { follow: true }))?.kind === "directory";
    for (const source of sources) {
      const tar = isForeign(source) ? undefined : await this.#archive(source);
      const into = isDirectory || tar !== undefined;
      const directory = into ? target : posix.dirname(target);
      await makeDirectory(this.#files, directory, this.#user);
      const name = into ? source.name : posix.basename(target);
      if (tar) await this.#files.unpack(directory, tar, this.#user);
      else if (isForeign(source)) await this.#across(source, directory, name);
      else await this.#files.unpack(directory, tarOf(this.#named(source, name), this.#bench), this.#user);
    }
  }

  /** ADD takes archives apart, whatever they are compressed with. */
  async #archive({ bytes }: LocalSource) {
    if (this.#step.type !== "add" || this.#step.unpack === false || !bytes) return undefined;
    return this.#bench.session.tarIn(bytes(), { signal: this.#bench.signal });
  }

  async #across({ from, path, kind }: ForeignSource, directory: string, name: string): Promise<void> {
    const options = { follow: true, ...(kind !== "directory" && { name }) };
    // Whoever owns it there owns it here, unless told otherwise (BuildKit's rule; what comes from a context is root's).
    const { session, signal } = this.#bench;
    await session.view(from.stack, (files) => this.#files.unpack(directory, files.pack(path, options), this.#user), { signal });
  }

  async *#named({ kind, entries }: LocalSource, name: string): AsyncGenerator<TreeEntry> {
    for await (const entry of entries()) {
      const mode = this.#chmod ? this.#chmod(entry.mode, entry.kind === "directory") : entry.mode;
      if (kind !== "directory") yield { ...entry, name, mode };
      else if (entry.name !== "") yield { ...entry, mode };
    }
  }
}
