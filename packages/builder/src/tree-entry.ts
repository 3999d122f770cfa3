import { tarEnd, tarHeader, tarPadding } from "@ramekin/archive";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";

/** A file on its way into a layer. `name` is relative, with `/`; `mtime` in seconds since 1970. */
export type TreeEntry = TreeEntryBase &
  (
    | { readonly kind: "directory" }
    | { readonly kind: "link"; readonly target: string }
    | FileContent
    /** Another name of a file that came before, by the name that it came under. */
    | { readonly kind: "hardlink"; readonly target: string }
    | { readonly kind: "device"; readonly type: "3" | "4" | "6"; readonly major?: number; readonly minor?: number }
  );

interface TreeEntryBase {
  readonly name: string;
  readonly mode: number;
  readonly mtime: number;
  /** Root's when absent: what a context's files become. */
  readonly uid?: number;
  readonly gid?: number;
  /** Extended attributes and the like, as PAX records. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
}

export interface FileContent {
  readonly kind: "file";
  readonly size: number;
  readonly content: (options?: Cancellable) => ByteStream;
  /** SHA-256 of the content, by one who may know it without reading. */
  readonly digest?: (options?: Cancellable) => string | Promise<string>;
}

export async function* tarOf(entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>, options: Cancellable = {}): ByteStream {
  for await (const entry of entries) {
    const { name, mode, mtime, uid = 0, gid = 0, pax = {} } = entry;
    const common = { name, mode, mtime, uid, gid, pax };
    if (entry.kind === "directory") yield tarHeader({ ...common, name: `${name}/`, type: "5" });
    else if (entry.kind === "link") yield tarHeader({ ...common, type: "2", mode: 0o777, linkname: entry.target });
    else if (entry.kind === "hardlink") yield tarHeader({ ...common, type: "1", linkname: entry.target });
    else if (entry.kind === "device") {
      const { type, major = 0, minor = 0 } = entry;
      yield tarHeader({ ...common, type, major, minor });
    } else yield* fileOf(entry, tarHeader({ ...common, type: "0", size: entry.size }), options);
  }
  yield tarEnd;
}

/** Small ones in one piece: 50,000 of them would be 150,000 pieces. */
async function* fileOf(entry: TreeEntry & FileContent, header: Uint8Array, options: Cancellable): ByteStream {
  const pieces: Uint8Array[] = [header];
  let size = 0;
  for await (const chunk of entry.content(options)) {
    size += chunk.byteLength;
    if (size > entry.size) break;
    pieces.push(chunk);
    if (size > 64 << 10) yield* pieces.splice(0);
  }
  if (size !== entry.size) throw new RamekinError("FAILED_PRECONDITION", `${entry.name} was written to while it was copied`);
  pieces.push(tarPadding(size));
  yield Buffer.concat(pieces);
}
