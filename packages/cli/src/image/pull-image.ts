import { arch as machine } from "node:os";
import type { Platform, RegistryAccess } from "@ramekin/core";
import { familiarReference, formatReference, parsePlatform, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import type { ProgressMode } from "../progress/watch-blobs.ts";
import { watchPull } from "../progress/watch-pull.ts";
import { type AccessFlags, accessFrom } from "../registry/access.ts";
import { refuseContentTrust } from "./content-trust.ts";

export interface PullFlags extends AccessFlags {
  readonly "all-platforms": boolean;
  readonly "all-tags": boolean;
  readonly arch: string | undefined;
  readonly "disable-content-trust": boolean;
  readonly os: string | undefined;
  readonly platform: string | undefined;
  readonly progress: string | undefined;
  readonly quiet: boolean;
  readonly variant: string | undefined;
}

/** `ramekin pull`. */
export async function pullImage(flags: PullFlags, name: string, context: Context): Promise<number> {
  refuseContentTrust(flags);
  const reference = parseReference(name);
  const tagged = /[:@]/.test(name.split("/").at(-1) as string);
  if (flags["all-tags"] && tagged) throw new UsageError("tag can't be used with --all-tags/-a", { status: 1 });
  const wanted = { platform: platformFrom(flags), access: await accessFrom(flags, reference.registry, context) };
  if (!flags["all-tags"]) {
    if (!tagged && !flags.quiet) tell(flags, "Using default tag: latest", context);
    await pullOne(flags, name, wanted, context);
    context.print(formatReference(reference));
    return 0;
  }
  const { registry, repository } = reference;
  const engine = await context.engine();
  for (const tag of await engine.remoteTags(name, { signal: context.interruption.signal, access: wanted.access })) {
    await pullOne(flags, formatReference({ registry, repository, tag }), wanted, context);
  }
  context.print(formatReference({ registry, repository }));
  return 0;
}

/** Podman's way to say it is in three flags. */
function platformFrom({ platform, arch, os, variant }: PullFlags): Platform | undefined {
  if (arch === undefined && os === undefined && variant === undefined) return platform === undefined ? undefined : parsePlatform(platform);
  if (platform !== undefined) throw new UsageError("--platform cannot be used with --arch, --os or --variant");
  return parsePlatform([os ?? "linux", arch ?? machine(), ...(variant === undefined ? [] : [variant])].join("/"));
}

async function pullOne(
  flags: PullFlags,
  name: string,
  { platform, access }: { readonly platform: Platform | undefined; readonly access: RegistryAccess | undefined },
  context: Context,
): Promise<void> {
  const reference = parseReference(name);
  tell(flags, `${reference.tag ?? reference.digest}: Pulling from ${reference.repository}`, context);
  const engine = await context.engine();
  using progress = watchPull(context.stdout, { quiet: flags.quiet, mode: flags.progress as ProgressMode | undefined });
  const image = await engine.pull(name, {
    unpack: true,
    signal: context.interruption.signal,
    onProgress: progress.report,
    access,
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
