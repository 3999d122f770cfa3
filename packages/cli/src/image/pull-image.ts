import { familiarReference, formatReference, parsePlatform, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import type { ProgressMode } from "../progress/watch-blobs.ts";
import { watchPull } from "../progress/watch-pull.ts";

export interface PullFlags {
  readonly "all-platforms": boolean;
  readonly "all-tags": boolean;
  readonly platform: string | undefined;
  readonly progress: string | undefined;
  readonly quiet: boolean;
}

/** `ramekin pull`. */
export async function pullImage(flags: PullFlags, name: string, context: Context): Promise<number> {
  const reference = parseReference(name);
  const tagged = /[:@]/.test(name.split("/").at(-1) as string);
  if (flags["all-tags"] && tagged) throw new UsageError("tag can't be used with --all-tags/-a", { status: 1 });
  if (!flags["all-tags"]) {
    if (!tagged && !flags.quiet) tell(flags, "Using default tag: latest", context);
    await pullOne(flags, name, context);
    context.print(formatReference(reference));
    return 0;
  }
  const { registry, repository } = reference;
  const engine = await context.engine();
  for (const tag of await engine.remoteTags(name, { signal: context.interruption.signal })) {
    await pullOne(flags, formatReference({ registry, repository, tag }), context);
  }
  context.print(formatReference({ registry, repository }));
  return 0;
}

async function pullOne(flags: PullFlags, name: string, context: Context): Promise<void> {
  const reference = parseReference(name);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  tell(flags, `${reference.tag ?? reference.digest}: Pulling from ${reference.repository}`, context);
  const engine = await context.engine();
  using progress = watchPull(context.stdout, { quiet: flags.quiet, mode: flags.progress as ProgressMode | undefined });
  const image = await engine.pull(name, {
    unpack: true,
    signal: context.interruption.signal,
    onProgress: progress.report,
    ...(platform !== undefined && { platform }),
    ...(flags["all-platforms"] && { allPlatforms: true }),
  });
  progress[Symbol.dispose]();
  tell(flags, `Digest: ${image.id}`, context);
  tell(flags, `Status: ${image.upToDate ? "Image is up to date" : "Downloaded newer image"} for ${familiarReference(reference)}`, context);
}

/** As a document of its own where every line is one. */
function tell({ progress, quiet }: PullFlags, line: string, context: Context): void {
  if (!quiet) context.print(progress === "json" ? JSON.stringify({ status: line }) : line);
}
