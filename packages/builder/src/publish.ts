import { relative, resolve } from "node:path";
import {
  type BuildDate,
  type BuildOutput,
  type BuiltPlatform,
  type CacheTarget,
  isRamekinError,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import { type ContainerImageConfig, formatPlatform, type HistoryEntry, normalizePlatform } from "@ramekin/oci";
import type { BuildOptions, BuildResult } from "./build-options.ts";
import type { Built } from "./stage.ts";
import { told, type Workbench } from "./workbench.ts";

/** A target's configuration as its stage leaves it, and what it stands on. */
export interface BuiltTarget {
  readonly image: ContainerImageConfig;
  readonly built: Built;
}

/** Builds for every platform that is asked for, at once, and writes the result to every output. */
export async function publishBuilt(
  bench: Workbench,
  options: BuildOptions,
  target: (options: BuildOptions) => Promise<BuiltTarget>,
): Promise<BuildResult> {
  const date = dateOf(options);
  const { session, signal } = bench;
  const cancellable = signal ? { signal } : {};
  const outputs: readonly BuildOutput[] = options.outputs?.length ? options.outputs : [{ type: "image" }];
  refuseClearing(outputs, options.context);
  for (const source of options.cacheFrom ?? []) {
    const title = `importing cache manifest from ${source.type === "local" ? source.directory : source.reference}`;
    await told(bench, title, () => session.importCache(source, cancellable));
  }
  const platforms = distinct(options);
  const built = await Promise.all(
    platforms.map(async (platform) => {
      const done = await target(platform ? { ...options, platform } : options);
      return finished(done, platform ?? session.platform, options.labels ?? {}, date);
    }),
  );
  const result = await session.publish(built, outputs, {
    ...cancellable,
    names: options.tags ?? [],
    ...(date && { date }),
    ...(inlineCache(options) && { inline: bench.made ?? [] }),
    step: (title, work) => told(bench, title, work),
  });
  for (const target of options.cacheTo ?? []) await exportTo(bench, built, target);
  return result;
}

const inlineCache = ({ inlineCache: asked, args = {} }: BuildOptions) => asked ?? /^(?:1|true)$/i.test(args["BUILDKIT_INLINE_CACHE"] ?? "");

async function exportTo(bench: Workbench, built: readonly BuiltPlatform[], target: CacheTarget): Promise<void> {
  const { session, signal, made = [] } = bench;
  const where = target.type === "local" ? "client directory" : "registry";
  try {
    await told(bench, `exporting cache to ${where}`, () => session.exportCache(made, built, target, signal ? { signal } : {}));
  } catch (error) {
    // What went wrong stands at the end of the step.
    if (!target.ignoreError || isRamekinError(error, "CANCELLED")) throw error;
  }
}

/** What is built from is not what is cleared away for the result. */
function refuseClearing(outputs: readonly BuildOutput[], context: string | undefined): void {
  for (const output of outputs) {
    if (context === undefined || output.type !== "local" || !output.clear || typeof output.location !== "string") continue;
    const below = relative(resolve(output.location), resolve(context));
    if (below.startsWith("..")) continue;
    throw new RamekinError("FAILED_PRECONDITION", `mode=delete would remove the build context ${context}`, {
      hint: "name a directory of its own",
    });
  }
}

function distinct({ platform, platforms = [] }: BuildOptions): readonly (Platform | undefined)[] {
  const all = new Map([...platforms, ...(platform ? [platform] : [])].map((each) => [formatPlatform(each), each]));
  return all.size === 0 ? [undefined] : [...all.values()];
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org) is a build argument, as for BuildKit; `timestamp` is podman's. */
export function dateOf({ args = {}, timestamp, rewriteTimes }: BuildOptions): BuildDate | undefined {
  if (timestamp !== undefined) return { seconds: timestamp, files: "set" };
  const text = args["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") {
    if (!rewriteTimes) return undefined;
    throw new RamekinError("INVALID_ARGUMENT", "times of files cannot be clamped: there is no date to clamp them to", {
      hint: "set SOURCE_DATE_EPOCH, or --timestamp",
    });
  }
  if (!/^\d{1,11}$/.test(text)) {
    throw new RamekinError("INVALID_ARGUMENT", `invalid SOURCE_DATE_EPOCH: ${text}`, { hint: "seconds since 1970, such as 1700000000" });
  }
  return { seconds: Number(text), files: rewriteTimes === false ? "keep" : "clamp" };
}

function finished(
  { image, built }: BuiltTarget,
  platform: Platform,
  labelled: Readonly<Record<string, string>>,
  date: BuildDate | undefined,
): BuiltPlatform {
  const { stack, history, createdAt, below, inherited } = built;
  const labels = { ...image.config?.Labels, ...labelled };
  const { os, architecture, variant } = image;
  const config: ContainerImageConfig = {
    ...image,
    created: date ? iso(date) : (createdAt ?? new Date(0).toISOString()),
    config: { ...image.config, ...(Object.keys(labels).length > 0 && { Labels: labels }) },
    rootfs: { type: "layers", diff_ids: stack.map(({ diffID }) => diffID) },
    history: date ? history.map((entry, index) => (index < inherited ? entry : dated(entry, date))) : history,
  };
  const own = os && architecture ? { os, architecture, ...(variant !== undefined && { variant }) } : platform;
  return { platform: normalizePlatform(own), config, stack, below };
}

const iso = ({ seconds }: BuildDate): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

const dated = (entry: HistoryEntry, date: BuildDate): HistoryEntry => ({ ...entry, created: iso(date) });
