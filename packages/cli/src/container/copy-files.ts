import { type ByteStream, isRamekinError, RamekinError } from "@ramekin/core";
import type { Container, Engine, FileInContainer } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { humanSize } from "../format/units.ts";
import { readSource } from "../volume/read-source.ts";
import { absolute, localFiles } from "./local-files.ts";

export interface CopyFlags {
  readonly archive: boolean;
  readonly "follow-link": boolean;
  readonly quiet: boolean;
}

/** One end of a copy: files here, or a container's. */
export interface Files {
  /** How messages call a path. */
  show(path: string): string;
  look(path: string, follow: boolean): Promise<FileInContainer | undefined>;
  pack(path: string, options: { readonly name: string; readonly follow: boolean }): ByteStream;
  unpack(directory: string, tar: ByteStream): Promise<void>;
  /** Nothing to write to, and no directory above it either. */
  noDirectory(path: string): RamekinError;
}

/** `ramekin cp`: the rules are those of `docker cp`, whether a path is here or there. */
export async function copyFiles(flags: CopyFlags, from: string, to: string, context: Context): Promise<number> {
  const [source, target] = [split(from), split(to)];
  if (source.container !== undefined && target.container !== undefined)
    throw new UsageError("copying between containers is not supported", { status: 1 });
  if (source.container === undefined && target.container === undefined)
    throw new UsageError("must specify at least one container source", { status: 1 });
  const engine = await context.engine();
  const { signal } = context.interruption;
  const here = localFiles(engine, { archive: flags.archive, signal });
  const there = await containerFiles(engine, source.container ?? target.container ?? "", flags.archive, signal);
  const follow = flags["follow-link"];
  let bytes = 0;
  const counted = async function* (tar: ByteStream): ByteStream {
    for await (const chunk of tar) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  if (source.container !== undefined) {
    const found = await findSource(there, source.path, follow);
    if (target.path === "-") {
      await write(there.pack(found.path, { name: found.name, follow: found.follow }), context);
      return 0;
    }
    const place = await findPlace(here, absolute(target.path), found);
    await here.unpack(place.directory, counted(there.pack(found.path, { name: place.name, follow: found.follow })));
    report(flags, bytes, absolute(target.path), context);
    return 0;
  }
  if (source.path === "-") {
    const end = await resolveEnd(there, target.path);
    if (end.found?.kind !== "directory")
      throw new RamekinError("INVALID_ARGUMENT", `destination ${JSON.stringify(to)} must be a directory`);
    await there.unpack(end.path, readSource("-", context));
    return 0;
  }
  const found = await findSource(here, absolute(source.path), follow);
  const place = await findPlace(there, target.path, found);
  await there.unpack(place.directory, counted(here.pack(found.path, { name: place.name, follow: found.follow })));
  report(flags, bytes, to, context);
  return 0;
}

/** `CONTAINER:PATH`; what begins with a slash or a dot is a path here, colons and all. */
export function split(text: string): { readonly container?: string; readonly path: string } {
  const at = text.indexOf(":");
  if (at < 0 || text.startsWith("/") || text.startsWith(".")) return { path: text };
  if (at === 0) throw new UsageError(`invalid container path ${JSON.stringify(text)}`, { status: 1, hint: "CONTAINER:PATH" });
  const path = text.slice(at + 1);
  return { container: text.slice(0, at), path: path.startsWith("/") ? path : `/${path}` };
}

async function containerFiles(engine: Engine, name: string, archive: boolean, signal: AbortSignal): Promise<Files> {
  const container: Container = await engine.container(name);
  return {
    show: (path) => `${name}:${path}`,
    look: (path, follow) => container.look(path, { follow, signal }),
    pack: (path, options) => container.copyFrom(path, { ...options, signal }),
    unpack: (directory, tar) => container.copyTo(directory, tar, { chown: archive, signal }),
    noDirectory: (path) => new RamekinError("NOT_FOUND", `could not find the file ${path} in container ${name}`),
  };
}

interface Source {
  readonly path: string;
  readonly follow: boolean;
  readonly isDirectory: boolean;
  /** Nothing: only what is in the directory is meant. */
  readonly name: string;
}

const meansDirectory = (path: string) => /\/\.?$/.test(path);
const meansContent = (path: string) => /(?:^|\/)\.$/.test(path) || path === "/";
const base = (path: string) => path.replace(/\/+$/, "").replace(/^.*\//, "");

async function findSource(files: Files, path: string, followLink: boolean): Promise<Source> {
  const follow = followLink || meansDirectory(path);
  const found = await files.look(path, follow).catch((error: unknown) => {
    if (!isNotDirectory(error)) throw error;
    throw new RamekinError("FAILED_PRECONDITION", `${files.show(path)}: not a directory`, { cause: error });
  });
  if (found === undefined) throw files.noDirectory(path);
  const isDirectory = found.kind === "directory";
  if (meansDirectory(path) && !isDirectory) throw new RamekinError("FAILED_PRECONDITION", `${files.show(path)}: not a directory`);
  return { path, follow, isDirectory, name: meansContent(path) ? "" : base(path) };
}

/** ENOTDIR, which the native part tells by this. */
const isNotDirectory = (error: unknown) => isRamekinError(error) && /not a directory/i.test(error.message);

interface End {
  readonly path: string;
  readonly found: FileInContainer | undefined;
}

/** Where links lead, also to what is not there yet. */
async function resolveEnd(files: Files, path: string): Promise<End> {
  let at = path;
  for (let links = 0; links < 40; links++) {
    const found = await files.look(at, false).catch((error: unknown) => {
      if (!isNotDirectory(error)) throw error;
      throw new RamekinError("FAILED_PRECONDITION", `${files.show(path)}: not a directory`, { cause: error });
    });
    if (found?.kind !== "link") return { path: at, found };
    at = new URL(found.target ?? "", `file://${at.split("/").map(encodeURIComponent).join("/")}`).pathname;
    at = decodeURIComponent(at);
  }
  throw new RamekinError("FAILED_PRECONDITION", `${files.show(path)}: too many links`);
}

interface Place {
  readonly directory: string;
  /** What is copied is called so in it. */
  readonly name: string;
}

/** Docker's table (PrepareArchiveCopy, moby/go-archive): what there is at the target decides how the copy is called. */
async function findPlace(files: Files, path: string, source: Source): Promise<Place> {
  const { path: at, found } = await resolveEnd(files, path);
  if (found?.kind === "directory") return { directory: at, name: source.name };
  if (found?.kind === "other")
    throw new RamekinError("FAILED_PRECONDITION", `destination ${JSON.stringify(files.show(path))} must be a directory or a regular file`);
  if (found && source.isDirectory)
    throw new RamekinError("FAILED_PRECONDITION", `cannot copy directory ${source.path} over the file ${files.show(path)}`);
  const above = at.replace(/\/+\.?$/, "").replace(/[^/]*$/, "") || "/";
  if (!found) {
    if ((await files.look(above, true))?.kind !== "directory") throw files.noDirectory(above);
    if (meansDirectory(path) && !source.isDirectory) throw new RamekinError("NOT_FOUND", `no such directory: ${files.show(path)}`);
  }
  return { directory: above, name: base(at.replace(/\/\.$/, "")) };
}

async function write(tar: ByteStream, context: Context): Promise<void> {
  for await (const chunk of tar) {
    if (!context.stdout.write(chunk)) await new Promise((resolve) => context.stdout.once("drain", resolve));
  }
}

/** To people only. */
function report({ quiet }: CopyFlags, bytes: number, to: string, context: Context): void {
  if (!quiet && context.stderr.isTTY) context.note(`Successfully copied ${humanSize(bytes)} to ${to}`);
}
