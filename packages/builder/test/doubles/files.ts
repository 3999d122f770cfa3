import { posix } from "node:path";
import { tarEnd, tarHeader } from "@ramekin/archive";
import type { BuildFiles, ByteStream } from "@ramekin/core";
import { entriesOf } from "../../src/passing.ts";
import { tarOf } from "../../src/tree-entry.ts";

interface Node {
  readonly kind: "file" | "directory" | "link";
  readonly text: string;
  readonly mode: number;
  readonly owner: string;
}

/** Files in memory, by their absolute paths. Of the rules that a kernel has, only that links lead somewhere. */
export class FilesInMemory implements BuildFiles {
  readonly #nodes = new Map<string, Node>([["/", { kind: "directory", text: "", mode: 0o755, owner: "0:0" }]]);

  /** Contents by path; a link is told by `->`, a directory by a slash at the end. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) {
      for (let at = posix.dirname(path); !this.#nodes.has(at); at = posix.dirname(at)) this.#put(at, "directory");
      if (path.endsWith("/")) this.#put(path.slice(0, -1), "directory");
      else if (text.startsWith("->")) this.#put(path, "link", text.slice(2));
      else this.#put(path, "file", text);
    }
  }

  #put(path: string, kind: Node["kind"], text = "", mode = kind === "file" ? 0o644 : 0o755, owner = "0:0"): void {
    this.#nodes.set(path, { kind, text, mode, owner });
  }

  #resolve(path: string, follow: boolean): string {
    let at = "/";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      at = posix.join(at, part);
      const node = this.#nodes.get(at);
      if (node?.kind !== "link" || (index === parts.length - 1 && !follow)) continue;
      at = this.#resolve(posix.resolve(posix.dirname(at), node.text), true);
    }
    return at;
  }

  async look(path: string, { follow = false }: { readonly follow?: boolean } = {}) {
    const node = this.#nodes.get(this.#resolve(path, follow));
    return node && { kind: node.kind, size: node.kind === "file" ? Buffer.byteLength(node.text) : 0 };
  }

  async *pack(path: string, { name = "", follow = false }: { readonly name?: string; readonly follow?: boolean } = {}): ByteStream {
    const node = this.#nodes.get(this.#resolve(path, follow));
    if (!node || node.kind === "directory") throw new Error(`${path} is nothing to pack`);
    if (node.kind === "link") yield tarHeader({ name, type: "2", linkname: node.text });
    const content = async function* () {
      yield Buffer.from(node.text);
    };
    const { mode } = node;
    if (node.kind === "file") yield* tarOf([{ name, kind: "file", mode, mtime: 0, size: Buffer.byteLength(node.text), content }]);
    else yield tarEnd;
  }

  async unpack(path: string, tar: ByteStream, { user = "" }: { readonly user?: string } = {}): Promise<void> {
    const top = this.#resolve(path, true);
    if (this.#nodes.get(top)?.kind !== "directory") throw new Error(`${path} is no directory`);
    for await (const entry of entriesOf(tar)) {
      const owner = user === "" ? `${entry.uid}:${entry.gid}` : user;
      let text = entry.kind === "link" ? entry.target : "";
      if (entry.kind === "file") for await (const chunk of entry.content()) text += Buffer.from(chunk).toString();
      if (entry.kind === "file" || entry.kind === "directory" || entry.kind === "link")
        this.#put(posix.join(top, entry.name), entry.kind, text, entry.mode, owner);
    }
  }

  /** `mode owner text`, as one line, of each path that is asked for; undefined for none. */
  shown(...paths: readonly string[]): readonly (string | undefined)[] {
    return paths.map((path) => {
      const node = this.#nodes.get(path);
      return node && `${node.mode.toString(8)} ${node.owner} ${node.kind === "link" ? "->" : ""}${node.text}`.trim();
    });
  }
}
