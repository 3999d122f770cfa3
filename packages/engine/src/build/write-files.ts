import { mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { tarEnd, withTimes } from "@ramekin/archive";
import { type BuildDate, type BuiltPlatform, type ByteStream, type Cancellable, type FilesOutput, RamekinError } from "@ramekin/core";
import { randomHex, unpackInto } from "@ramekin/native";
import { formatPlatform } from "@ramekin/oci";
import { fileError } from "../store/files.ts";
import type { Session } from "./session.ts";

/** The files of what was built, without an image around them. Every file has the build's date when there is one (as from BuildKit). */
export async function writeFiles(
  session: Session,
  built: readonly BuiltPlatform[],
  { type, location, clear, split = built.length > 1 }: FilesOutput,
  { date, signal }: Cancellable & { readonly date: BuildDate | undefined },
): Promise<void> {
  if (!split && built.length > 1) {
    throw new RamekinError("UNSUPPORTED", "files of several platforms into one folder would lie over one another", {
      hint: "leave out platform-split=false",
    });
  }
  const folderOf = ({ platform }: BuiltPlatform) => (split ? formatPlatform(platform).replaceAll("/", "_") : "");
  if (type === "local") {
    if (typeof location !== "string") throw new RamekinError("INVALID_ARGUMENT", "files go into a directory, not into a stream");
    if (clear) await empty(location, [process.cwd(), homedir(), session.scope.paths.root]);
    for (const each of built) {
      const directory = join(location, folderOf(each));
      await mkdir(directory, { recursive: true }).catch((error: unknown) => {
        throw fileError(error, directory);
      });
      // They become the caller's, whoever owns them in the image.
      const user = `${process.geteuid?.() ?? 0}:${process.getegid?.() ?? 0}`;
      const dated = (tar: ByteStream) => (date ? withTimes(tar, () => date.seconds) : tar);
      const unpack = (tar: ByteStream) => unpackInto({ directory }, "/", dated(tar), { user, own: true, signal });
      if (each.stack.length > 0) await session.view(each.stack, (files) => unpack(files.pack("/")), { signal });
    }
    return;
  }
  await writeTar(location, async (write) => {
    for (const each of built) {
      const name = folderOf(each);
      // An image of no layers has no files.
      if (each.stack.length === 0) continue;
      const fill = async (tar: ByteStream) => {
        for await (const chunk of withTimes(tar, date ? () => date.seconds : (time) => time, { open: true })) await write(chunk);
      };
      await session.view(each.stack, (files) => fill(files.pack("/", name === "" ? {} : { name })), { signal });
    }
    await write(tarEnd);
  });
}

/** The directory itself stays: it may be a mount. One that holds what somebody works in or lives on is nobody's to empty. */
async function empty(directory: string, precious: readonly string[]): Promise<void> {
  const real = await realpath(directory).catch(ifGone);
  if (real === undefined) return;
  for (const place of precious) {
    const at = (await realpath(place).catch(ifGone)) ?? place;
    if (at !== real && !at.startsWith(real.endsWith("/") ? real : `${real}/`)) continue;
    throw new RamekinError("FAILED_PRECONDITION", `mode=delete would remove ${at}, which is in ${real}`, {
      hint: "name a directory of its own",
    });
  }
  for (const name of await readdir(real)) await rm(join(real, name), { recursive: true, force: true });
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}

type Write = (chunk: Uint8Array) => Promise<void>;

/** At a path, nothing shows before all is written. */
async function writeTar(location: string | WritableStream<Uint8Array>, fill: (write: Write) => Promise<void>): Promise<void> {
  if (typeof location !== "string") {
    const writer = location.getWriter();
    await fill((chunk) => writer.write(chunk));
    await writer.close();
    return;
  }
  const temporary = `${location}.${randomHex(4)}`;
  try {
    {
      await using file = await open(temporary, "wx");
      await fill(async (chunk) => void (await file.writeFile(chunk)));
    }
    await rename(temporary, location);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, location);
  }
}
