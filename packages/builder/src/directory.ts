import { posix } from "node:path";
import { type BuildFiles, RamekinError } from "@ramekin/core";
import { tarOf } from "./tree-entry.ts";

/** Makes a directory with all above it, 0755 unless told otherwise; what is there stays as it is. */
export async function makeDirectory(
  files: BuildFiles,
  path: string,
  options: { readonly user?: string; readonly mode?: number; readonly mtime?: number } = {},
): Promise<void> {
  const kind = async (at: string) => (at === "/" ? "directory" : (await files.look(at, { follow: true }))?.kind);
  let there = path;
  for (let found = await kind(there); found !== "directory"; found = await kind(there)) {
    if (found !== undefined) throw new RamekinError("FAILED_PRECONDITION", `${there} is no directory`);
    there = posix.dirname(there);
  }
  const missing = posix.relative(there, path);
  if (missing === "") return;
  const parts = missing.split("/");
  const { mode = 0o755, mtime = Math.floor(Date.now() / 1000) } = options;
  const entries = parts.map((_, index) => ({ name: parts.slice(0, index + 1).join("/"), kind: "directory" as const, mode, mtime }));
  await files.unpack(there, tarOf(entries), options.user === undefined ? { onTheWay: true } : { user: options.user });
}
