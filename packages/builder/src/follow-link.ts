import { posix } from "node:path";
import { type BuildFiles, type Cancellable, RamekinError } from "@ramekin/core";
import { entriesOf } from "./passing.ts";

/** As Linux: a path that leads through more links than these is taken for one without end. */
const maxLinks = 40;

type Files = Pick<BuildFiles, "look" | "pack">;

/** Where a link leads, be anything there or not; all links are followed as if the files were the whole world. What is no link is itself. */
export async function followLink(files: Files, path: string, { signal }: Cancellable = {}): Promise<string> {
  if ((await files.look(path))?.kind !== "link") return path;
  const left = path.split("/").reverse();
  let at = "/";
  for (let links = 0; left.length > 0; ) {
    const part = left.pop() as string;
    // The root is above itself.
    const next = posix.join(at, part);
    const target = part === "" || part === "." || part === ".." ? undefined : await targetOf(files, next, signal);
    if (target === undefined) {
      at = next;
      continue;
    }
    if (++links > maxLinks) throw new RamekinError("INVALID_ARGUMENT", `${path}: too many levels of symbolic links`);
    left.push(...target.split("/").reverse());
    if (target.startsWith("/")) at = "/";
  }
  return at;
}

async function targetOf(files: Files, path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  if ((await files.look(path))?.kind !== "link") return undefined;
  let target: string | undefined;
  for await (const entry of entriesOf(files.pack(path, { name: "link" }), signal)) if (entry.kind === "link") target = entry.target;
  return target;
}
