import { posix } from "node:path";
import { type BuildFiles, type BuildLayer, type Cancellable, type Digest, RamekinError, type Stack } from "@ramekin/core";
import { cleanPath, type TransferStep } from "@ramekin/dockerfile";
import { cacheKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import { makeDirectory } from "./directory.ts";
import { followLink } from "./follow-link.ts";
import { type ModeChange, modeOnTheWay, parseMode } from "./mode.ts";
import { findOwner } from "./owner.ts";
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
  const owner = chown === undefined ? undefined : [rules, chown];
  const mode = chmod === undefined ? undefined : [rules, chmod];
  const inputs: (readonly [name: string, content: string])[] = [];
  for (const source of sources) {
    inputs.push([source.kind === "directory" ? "" : source.name, await sourceDigest(source, bench)]);
  }
  // What is linked does not depend on what it is linked to: it is the same layer on any.
  return cacheKey(type, link ? undefined : before, { inputs, destination, owner, mode, link, parents, unpack });
}

/** Grows when --chown or --chmod come to mean something else: 2 is since a number is a group, too, and folders on the way get the mode. */
const rules = 2;

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
  const chmod = step.chmod === undefined || step.chmod === "" ? undefined : parseMode(step.chmod);
  if (sources.length === 0) return undefined;
  const isDirectory = destination.endsWith("/") || destination.endsWith("/.") || sources[0]?.kind === "directory";
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
  #user: { readonly user?: string } = {};

  constructor(bench: Workbench, files: BuildFiles, step: TransferStep, chmod: ModeChange | undefined) {
    this.#bench = bench;
    this.#files = files;
    this.#step = step;
    this.#chmod = chmod;
  }

  /** A file that goes to a directory goes into it, though nothing says that it is one. */
  async all(sources: readonly TransferSource[], target: string, asked: boolean): Promise<void> {
    const { chown } = this.#step;
    if (chown !== undefined) this.#user = { user: await findOwner(this.#files, chown, this.#bench) };
    // What is linked leaves the directories of others as they are.
    const mode = this.#step.link ? undefined : modeOnTheWay(this.#step.chmod ?? "");
    const onTheWay = mode === undefined ? {} : { mode };
    const isDirectory = asked || target === "/" || (await this.#files.look(target, { follow: true }))?.kind === "directory";
    if (sources.length > 1 && !isDirectory) throw notDirectory(this.#step);
    for (const source of sources) {
      const tar = isForeign(source) ? undefined : await this.#archive(source);
      const into = isDirectory || tar !== undefined;
      // A link at the name of a file is written through, and one among the names in a directory is replaced (BuildKit's rule).
      const place = into ? target : await followLink(this.#files, target, this.#bench);
      const directory = into ? target : posix.dirname(place);
      // What is linked has only the directory that was asked for in its layer, if that is to be somebody's: not those above, nor a file's.
      if (this.#step.link) await makeDirectory(this.#files, into ? posix.dirname(directory) : directory);
      await makeDirectory(this.#files, directory, { ...this.#user, ...onTheWay });
      const name = into ? source.name : posix.basename(place);
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

/** BuildKit would leave the last of them under that name, against its own reference. */
function notDirectory({ type }: TransferStep): RamekinError {
  const message = `When using ${type.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`;
  return new RamekinError("INVALID_ARGUMENT", message);
}
