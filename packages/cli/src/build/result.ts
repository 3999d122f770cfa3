import { parsePlatform } from "@ramekin/oci";
import type { BuildOptions, BuildResult } from "ramekin";
import { UsageError } from "../argv/status-error.ts";
import type { OutputStream } from "../context.ts";
import { type AttestationFlags, refuseAttestations } from "./attestations.ts";
import { type CacheFlags, type CacheOptions, cachesFrom } from "./caches.ts";
import { type OutputFlags, outputsFrom } from "./outputs.ts";

/** What the result is, and where it goes. */
export interface ResultFlags extends OutputFlags, CacheFlags, AttestationFlags {
  readonly platform: readonly string[];
  readonly "rewrite-timestamp": boolean | undefined;
  readonly "source-date-epoch": string | undefined;
  readonly timestamp: string | undefined;
}

export type ResultOptions = CacheOptions & Pick<BuildOptions, "args" | "platforms" | "outputs" | "timestamp" | "rewriteTimes">;

/** SOURCE_DATE_EPOCH of the environment is a build argument, unless one was given (as in buildx). */
export function resultOptions(
  flags: ResultFlags,
  environment: Readonly<Record<string, string | undefined>>,
  stdout: OutputStream,
): ResultOptions {
  const platforms = flags.platform.flatMap((text) => text.split(",")).map((text) => parsePlatform(text.trim()));
  const epoch = flags["source-date-epoch"] ?? environment["SOURCE_DATE_EPOCH"];
  if (flags.timestamp !== undefined && flags["source-date-epoch"] !== undefined)
    throw new UsageError("--timestamp and --source-date-epoch cannot be used together", { status: 1 });
  if (flags.timestamp !== undefined && !/^\d{1,11}$/.test(flags.timestamp))
    throw new UsageError(`--timestamp: ${flags.timestamp} is no number of seconds since 1970`, { status: 1 });
  const { "rewrite-timestamp": rewriteTimes } = flags;
  refuseAttestations(flags);
  return {
    ...cachesFrom(flags),
    outputs: outputsFrom(flags, stdout),
    ...(epoch && { args: { SOURCE_DATE_EPOCH: epoch } }),
    ...(platforms.length > 0 && { platforms }),
    ...(flags.timestamp !== undefined && { timestamp: Number(flags.timestamp) }),
    ...(rewriteTimes !== undefined && { rewriteTimes }),
  };
}

/** The names that BuildKit gives them. */
export function metadataOf({ digest, configDigest, descriptor, names }: BuildResult): string {
  const fields = {
    ...(configDigest !== undefined && { "containerimage.config.digest": configDigest }),
    "containerimage.descriptor": descriptor,
    "containerimage.digest": digest,
    ...(names.length > 0 && { "image.name": names.join(",") }),
  };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}
