import { chmod, link, lstat, mkdir, open, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { indexTar, type namelessFile, readRange, spool } from "@ramekin/archive";
import type { LayerApplier } from "@ramekin/core";

/**
 * How not to apply a layer: by joining names to the root's path, as many have done, and many advisories tell. It has no defect but
 * that one, and every attack of the suite must be seen to succeed against it.
 */
export const naiveApplier: LayerApplier = {
  async apply(mounts, source, descriptor) {
    const root = mounts[0]?.source ?? "";
    const spooled = await spool(source, dirname(dirname(root)));
    const { size } = await spooled.stat();
    for await (const entry of rawEntries(spooled)) {
      // An error in one entry must not hide what the next one does.
      await extract(root, entry).catch(() => {});
    }
    await spooled.close();
    return { diffID: descriptor.digest as never, size };
  },
};

interface RawEntry {
  readonly name: string;
  readonly type: string;
  readonly linkname: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** In order, with the names as they stand: `indexTar` cleans them. */
async function* rawEntries(file: Awaited<ReturnType<typeof namelessFile>>): AsyncGenerator<RawEntry> {
  await indexTar(file);
  const { size } = await file.stat();
  const pieces: Uint8Array[] = [];
  for await (const piece of readRange(file, 0, size)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  let pax: Record<string, string> = {};
  for (let position = 0; position + 512 <= size && bytes[position] !== 0; ) {
    const text = (from: number, length: number) => bytes.toString("utf8", position + from, position + from + length).replace(/\0.*$/s, "");
    const length = Number.parseInt(text(124, 12), 8);
    const content = bytes.subarray(position + 512, position + 512 + length);
    const type = text(156, 1);
    const found = {
      name: pax["path"] ?? text(0, 100),
      linkname: pax["linkpath"] ?? text(157, 100),
      mode: Number.parseInt(text(100, 8), 8),
    };
    position += 512 + Math.ceil(length / 512) * 512;
    if (type === "x")
      pax = Object.fromEntries(
        [...content.toString("latin1").matchAll(/\d+ (path|linkpath)=(.*)\n/g)].map(([, key, value]) => [key, value]),
      );
    else {
      yield { ...found, type, content };
      pax = {};
    }
  }
}

async function extract(root: string, { name, type, linkname, mode, content }: RawEntry): Promise<void> {
  const path = name.startsWith("/") ? name : join(root, name);
  if (basename(name) === ".wh..wh..opq") {
    for (const child of await readdir(dirname(path))) await rm(join(dirname(path), child), { recursive: true, force: true });
    return;
  }
  if (basename(name).startsWith(".wh.")) return rm(join(dirname(path), basename(name).slice(4)), { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  if (type === "5") await mkdir(path, { recursive: true });
  if (type === "2") {
    const there = await lstat(path).catch(() => undefined);
    if (there && !there.isSymbolicLink()) await rm(path, { recursive: true });
    if (!there?.isSymbolicLink()) await symlink(linkname, path);
  }
  if (type === "1") {
    await rm(path, { force: true });
    await link(linkname.startsWith("/") ? linkname : join(root, linkname), path);
  }
  if (type === "0") await writeFile(path, content);
  // Through a link as well.
  const handle = await open(path).catch(() => undefined);
  await handle?.close();
  await chmod(path, mode);
  await utimes(path, 1, 1);
}
