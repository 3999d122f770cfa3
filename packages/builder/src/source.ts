import type { ByteStream, Digest, Stack } from "@ramekin/core";
import type { Context } from "./context.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** Files of another stage or image; `key`: the inputs that they came from. */
export interface Foreign {
  readonly stack: Stack;
  readonly key: Digest;
}

/** Where files are taken from: layers, or a tree such as the build context. */
export type Supply = Foreign | Context;

export const isStack = (supply: Supply): supply is Foreign => "stack" in supply;

/** One thing to copy. `name` is what it is called where it goes; of a directory the content goes, without a name. */
export type TransferSource = LocalSource | ForeignSource;

export interface LocalSource {
  readonly name: string;
  readonly kind: TreeEntry["kind"];
  /** Itself first, as "". Contents are to be read as they come. */
  entries(): AsyncIterable<TreeEntry>;
  /** What a copy of it depends on, by one who may know it without looking. */
  digest?(): Promise<string>;
  /** Of a file which may be an archive that ADD unpacks. */
  readonly bytes?: () => ByteStream;
}

/** Goes from one stack to another without being looked at. */
export interface ForeignSource {
  readonly name: string;
  readonly kind: TreeEntry["kind"] | "other";
  readonly from: Foreign;
  readonly path: string;
  digest(): Promise<string>;
}

export const isForeign = (source: TransferSource): source is ForeignSource => "from" in source;

/** A file that is in no directory: of a heredoc, or fetched. */
export function looseFile(
  name: string,
  bytes: Uint8Array,
  { mode, mtime }: { readonly mode: number; readonly mtime: number },
): LocalSource {
  async function* content() {
    yield bytes;
  }
  return {
    name,
    kind: "file",
    async *entries() {
      yield { name, kind: "file", mode, mtime, size: bytes.byteLength, content };
    },
  };
}
