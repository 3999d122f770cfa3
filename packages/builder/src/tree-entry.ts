import { tarEnd, tarHeader, tarPadding } from "@ramekin/archive";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";

/** A file on its way into a layer. `name` is relative, with `/`; `mtime` in seconds since 1970. */
export type TreeEntry = { readonly name: string; readonly mode: number; readonly mtime: number } & (
  | { readonly kind: "directory" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "file"; readonly size: number; readonly content: (options?: Cancellable) => ByteStream }
);

/** Owned by root. */
export async function* tarOf(entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>, options: Cancellable = {}): ByteStream {
  for await (const entry of entries) {
    const { name, mode, mtime } = entry;
    if (entry.kind === "directory") yield tarHeader({ name: `${name}/`, type: "5", mode, mtime });
    else if (entry.kind === "link") yield tarHeader({ name, type: "2", mode: 0o777, mtime, linkname: entry.target });
    else {
      yield tarHeader({ name, type: "0", mode, mtime, size: entry.size });
      let size = 0;
      for await (const chunk of entry.content(options)) {
        size += chunk.byteLength;
        if (size > entry.size) break;
        yield chunk;
      }
      if (size !== entry.size) throw new RamekinError("FAILED_PRECONDITION", `${name} was written to while it was copied`);
      yield tarPadding(size);
    }
  }
  yield tarEnd;
}
