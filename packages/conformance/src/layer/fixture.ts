import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { LayerApplier, LayerDiffer, Mount } from "@ramekin/core";

/** An empty place to apply to: what a storage driver would give, and the folder where its content shows. */
export interface Scratch {
  readonly mounts: readonly Mount[];
  readonly directory: string;
}

/** An applier, with or without a differ, and room to work in. */
export interface LayersUnderTest extends LayerApplier, Partial<LayerDiffer> {
  /** Each call makes another; all go with the driver. */
  scratch(): Promise<Scratch>;
  /** Whether owners, devices and file capabilities can be made here: as root, and not in a user namespace. */
  readonly capabilities: { readonly ownership?: boolean };
}

/** What a tree is like, a line for each entry, sorted: equal texts are equal trees. Owners and devices included; times to the second. */
export async function describeTree(root: string, { times = true } = {}): Promise<string> {
  const inodes = new Map<bigint, string>();
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(root, path))).sort()) {
      const at = join(path, name);
      const info = await lstat(join(root, at), { bigint: true });
      const kind = info.isDirectory()
        ? "d"
        : info.isSymbolicLink()
          ? "l"
          : info.isFile()
            ? "f"
            : info.isFIFO()
              ? "p"
              : info.isCharacterDevice()
                ? "c"
                : "?";
      const what =
        kind === "l"
          ? `-> ${await readlink(join(root, at))}`
          : kind === "f"
            ? `${info.size} ${JSON.stringify((await readFile(join(root, at), "latin1")).slice(0, 100))}`
            : kind === "c"
              ? String(info.rdev)
              : "";
      const first = inodes.get(info.ino);
      const time = times && kind !== "d" ? ` @${info.mtimeMs / 1000n}` : "";
      lines.push(
        `${at} ${kind} ${(info.mode & 0o7777n).toString(8)} ${info.uid}:${info.gid}${time} ${what}${first !== undefined ? ` = ${first}` : ""}`,
      );
      if (kind === "f" && info.nlink > 1n && first === undefined) inodes.set(info.ino, at);
      if (kind === "d") await walk(at);
    }
  };
  await walk("");
  return lines.join("\n");
}
