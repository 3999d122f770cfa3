import { type BuildFiles, type BuildLayer, type ByteStream, type Cancellable, RamekinError, type Stack } from "@ramekin/core";
import { isEmptyLayer } from "../../derived-image.ts";
import { codecFor, storeLayer } from "../../import.ts";
import type { Session } from "../session.ts";
import { FileTree } from "./file-tree.ts";
import { applyLayer } from "./layer-tree.ts";
import { VirtualFiles } from "./virtual-files.ts";

/** Stacks without a storage driver: read from their layers, and changed in memory. What runs programs has to have one. */
export class VirtualStacks {
  readonly #session: Session;
  readonly #trees = new Map<string, Promise<FileTree>>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** `apart`: see `BuildSession.layer`. */
  async change(
    stack: Stack,
    work: (files: BuildFiles) => Promise<void>,
    { signal, apart = false }: Cancellable & { readonly apart?: boolean },
  ): Promise<BuildLayer | undefined> {
    const { scope, content, lease } = this.#session;
    const files = await this.#files(stack, signal);
    await work(files);
    const stored = await storeLayer(scope, content, lease, { format: undefined, bytes: files.layer({ apart }) }, { signal });
    return isEmptyLayer(stored) ? undefined : { descriptor: stored.layer, diffID: stored.diffID as BuildLayer["diffID"] };
  }

  async view<T>(stack: Stack, work: (files: BuildFiles) => Promise<T>, { signal }: Cancellable): Promise<T> {
    return work(await this.#files(stack, signal));
  }

  async #files(stack: Stack, signal: AbortSignal | undefined): Promise<VirtualFiles> {
    return new VirtualFiles(await this.#tree(stack, signal), () => this.#session.folder(), { signal });
  }

  #tree(stack: Stack, signal: AbortSignal | undefined): Promise<FileTree> {
    const key = stack.map(({ diffID }) => diffID).join(" ");
    const known = this.#trees.get(key) ?? this.#read(stack, signal);
    this.#trees.set(key, known);
    return known;
  }

  async #read(stack: Stack, signal: AbortSignal | undefined): Promise<FileTree> {
    const top = stack.at(-1);
    if (!top) return new FileTree();
    const tree = (await this.#tree(stack.slice(0, -1), signal)).clone();
    await applyLayer(tree, await this.#tar(top, signal), await this.#session.folder(), { signal });
    return tree;
  }

  async #tar({ descriptor }: BuildLayer, signal: AbortSignal | undefined): Promise<ByteStream> {
    const { scope, content } = this.#session;
    const bytes = content.read(descriptor.digest, { signal });
    const [, format = ""] = /(?:\.tar)?[+.](gzip|zstd)$/.exec(descriptor.mediaType) ?? [];
    if (format === "" && !descriptor.mediaType.endsWith(".tar"))
      throw new RamekinError("UNSUPPORTED", `the layer ${descriptor.digest} is of the unknown type ${descriptor.mediaType}`);
    return format === "" ? bytes : (await codecFor(scope, format)).decode(bytes, { signal });
  }
}
