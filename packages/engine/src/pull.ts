import { isRamekinError, RamekinError } from "@ramekin/core";
import { findName, formatReference, parseReference, putName } from "@ramekin/oci";
import type { ImageInfo, PullOptions } from "./api.ts";
import { collectByPolicy } from "./collect-by-policy.ts";
import { contentOf } from "./image.ts";
import { describeImage } from "./images.ts";
import { ingestImage } from "./ingest.ts";
import { notify } from "./kernel/hooks.ts";
import { openOrigin } from "./origin.ts";
import type { Scope } from "./scope.ts";
import { changeImages, readImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";
import { ArrivingLayers, type ArrivingOptions } from "./unpack-arriving.ts";

/** See `Engine.pull`. */
export async function pull(scope: Scope, text: string, options: PullOptions = {}): Promise<ImageInfo> {
  if (options.allPlatforms && options.platform)
    throw new RamekinError("INVALID_ARGUMENT", "all platforms and one platform cannot be had at once", { hint: "leave out one of both" });
  const reference = parseReference(text);
  const name = formatReference(reference);
  await scope.opened();
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);
  await using from = await openOrigin(scope, name, options);

  const root = await from.root();
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const onProgress = from.embedded ? undefined : options.onProgress; // nothing moves that anybody waits for
  const arriving = await openArriving(scope, { ...options, signal, onProgress, lease, onFailure: (error) => failed.abort(error) });
  let moved: number;
  try {
    moved = await ingestImage(content, from, root, {
      name: text,
      lease,
      ...(!options.allPlatforms && { platform: options.platform ?? scope.platform }),
      asked: options.platform,
      signal,
      onProgress,
      arriving,
    });
    await arriving?.finish();
  } catch (error) {
    await arriving?.discard();
    throw failed.signal.aborted && !options.signal?.aborted ? failed.signal.reason : error;
  }
  const before = findName(await readImages(scope.paths), name);
  const upToDate = moved === 0 && before?.digest === root.digest;
  if (before?.digest !== root.digest) await changeImages(scope.paths, (index) => putName(index, name, root), options);
  if (!upToDate) await notify(scope.kernel.plugins, scope.warn, "pulled", { reference, descriptor: root });
  scope.emit("image", "pull", root.digest, { name });
  if (moved > 0) await collectByPolicy(scope);
  return { ...(await describeImage(scope, root, name)), upToDate };
}

/** Undefined when nothing is to be unpacked, or nothing here can: the image is of use all the same, to be pushed or saved. */
async function openArriving(
  scope: Scope,
  {
    unpack,
    allPlatforms,
    storage,
    ...options
  }: Omit<ArrivingOptions, "storage"> & Pick<PullOptions, "unpack" | "allPlatforms" | "storage">,
): Promise<ArrivingLayers | undefined> {
  if (!unpack || allPlatforms) return undefined; // of several platforms, hardly more than one is run
  try {
    return await ArrivingLayers.open(scope, { ...options, storage: await scope.kernel.use("storage", storage) });
  } catch (error) {
    if (!isRamekinError(error, "UNSUPPORTED") && !isRamekinError(error, "NOT_FOUND")) throw error;
    scope.warn(`not unpacked: ${error.message}`);
    return undefined;
  }
}
