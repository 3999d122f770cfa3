import { writeFile } from "node:fs/promises";
import { RamekinError } from "@ramekin/core";
import type { Engine, PushOptions } from "@ramekin/engine";
import { formatReference, parsePlatform, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import type { ProgressMode } from "../progress/watch-blobs.ts";
import { watchPush } from "../progress/watch-push.ts";
import { type AccessFlags, accessFrom } from "../registry/access.ts";
import { refuseContentTrust } from "./content-trust.ts";

export interface PushFlags extends AccessFlags {
  readonly "all-tags": boolean;
  readonly compression: string | undefined;
  readonly "disable-content-trust": boolean;
  readonly digestfile: string | undefined;
  readonly platform: string | undefined;
  readonly progress: string | undefined;
  readonly quiet: boolean;
}

/** `ramekin push`. */
export async function pushImage(flags: PushFlags, name: string, context: Context): Promise<number> {
  refuseContentTrust(flags);
  const reference = parseReference(name);
  const tagged = /[:@]/.test(name.split("/").at(-1) as string);
  if (flags["all-tags"] && tagged) throw new UsageError("tag can't be used with --all-tags/-a", { status: 1 });
  if (flags["all-tags"] && flags.digestfile !== undefined)
    throw new UsageError("--digestfile holds one digest: it cannot be used with --all-tags/-a", { status: 1 });
  const compression = flags.compression === undefined ? undefined : compressionFrom(flags.compression);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const tell = (line: string) => {
    if (!flags.quiet) context.print(line);
  };

  const access = await accessFrom(flags, reference.registry, context);
  const engine = await context.engine();
  if (!tagged && !flags["all-tags"]) tell("Using default tag: latest");
  tell(`The push refers to repository [${formatReference({ registry: reference.registry, repository: reference.repository })}]`);
  for (const each of flags["all-tags"] ? await tagsHere(engine, name) : [formatReference(reference)]) {
    using progress = watchPush(context.stdout, { quiet: flags.quiet, mode: flags.progress as ProgressMode | undefined });
    const { descriptor, instead } = await engine.push(each, {
      signal: context.interruption.signal,
      onProgress: progress.report,
      access,
      ...(platform && { platform }),
      ...(compression && { compression }),
    });
    progress[Symbol.dispose]();
    if (flags.digestfile !== undefined) await writeFile(flags.digestfile, descriptor.digest);
    tell(`${parseReference(each).tag}: digest: ${descriptor.digest} size: ${descriptor.size}`);
    if (instead !== undefined && compression === undefined) {
      tell(`Info: not all multiplatform-content is present, only the available single-platform image was pushed`);
      tell(`${instead.digest} -> ${descriptor.digest}`);
    }
    if (flags.quiet) context.print(each);
  }
  return 0;
}

/** `zstd`, `zstd:19`. */
function compressionFrom(text: string): NonNullable<PushOptions["compression"]> {
  const [, format, level] = /^(gzip|zstd)(?::(\d{1,2}))?$/.exec(text) ?? [];
  if (format === undefined) {
    throw new UsageError(`invalid argument "${text}" for "--compression" flag: must be gzip or zstd, with or without a level`, {
      hint: "--compression zstd:19",
    });
  }
  return { format: format as "gzip" | "zstd", ...(level !== undefined && { level: Number(level) }) };
}

async function tagsHere(engine: Engine, name: string): Promise<readonly string[]> {
  const { registry, repository } = parseReference(name);
  const names = (await engine.images()).flatMap((image) => image.name ?? []);
  const found = names.filter((each) => {
    const reference = parseReference(each);
    return reference.registry === registry && reference.repository === repository && reference.tag !== undefined;
  });
  if (found.length > 0) return found.sort();
  throw new RamekinError("NOT_FOUND", `an image does not exist locally with the tag: ${name}`, {
    hint: "`ramekin images` shows what is here",
  });
}
