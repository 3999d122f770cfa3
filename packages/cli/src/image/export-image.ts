import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ByteStream } from "@ramekin/core";
import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";
import { refuseTerminal, streamTo } from "./save-images.ts";

/** `ramekin export-image`. */
export async function exportImage(
  { output, platform }: { readonly output: string | undefined; readonly platform: string | undefined },
  name: string,
  context: Context,
): Promise<number> {
  refuseTerminal(output, context.stdout, "save");
  smallNursery();
  const engine = await context.engine();
  const tar = engine.exportImage(name, {
    signal: context.interruption.signal,
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  await writeTar(tar, output, context);
  return 0;
}

/** To a file, or to stdout. */
export async function writeTar(tar: ByteStream, output: string | undefined, context: Context): Promise<void> {
  if (output !== undefined) return await writeWhole(output, tar);
  const writer = streamTo(context.stdout).getWriter();
  for await (const chunk of tar) await writer.write(chunk);
}

/** Beside its place first: half a file under a good name would be taken for a whole one. */
async function writeWhole(path: string, bytes: ByteStream): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await using file = await open(temporary, "wx", 0o644);
    await file.writeFile(bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
