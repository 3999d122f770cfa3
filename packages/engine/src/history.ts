import type { Cancellable, Platform } from "@ramekin/core";
import { namesOf } from "@ramekin/oci";
import type { HistoryStep } from "./api.ts";
import { blobsOf, contentOf, openImage } from "./image.ts";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";

/** See `Engine.history`. Layers that the history does not tell of (squashed, or by tools that write none) come first, nameless. */
export async function history(
  scope: Scope,
  text: string,
  options: Cancellable & { readonly platform?: Platform } = {},
): Promise<readonly HistoryStep[]> {
  await scope.opened();
  const index = await readImages(scope.paths);
  const { descriptor } = mustResolve(index, text);
  const { config, layers } = await openImage(
    blobsOf(await contentOf(scope)),
    descriptor,
    options.platform ?? scope.platform,
    text,
    options,
  );
  const storage = await scope.kernel.use("storage");
  const sizes = await Promise.all(
    layers.map(async ({ descriptor: layer, chainID }) => {
      if (!storage.usage || !(await storage.stat(chainID))) return layer.size;
      return (await storage.usage(chainID)).size;
    }),
  );

  const steps: HistoryStep[] = [];
  let next = 0;
  const layerStep = () => {
    const at = next++;
    const layer = layers[at]?.descriptor;
    return { ...(layer && { layer }), size: sizes[at] ?? 0 };
  };
  const told = config.history ?? [];
  const untold = Math.max(layers.length - told.filter(({ empty_layer: empty }) => !empty).length, 0);
  for (let count = 0; count < untold; count++) steps.push({ createdBy: "", comment: "", names: [], ...layerStep() });
  for (const { created, created_by: createdBy = "", comment = "", empty_layer: empty } of told) {
    const createdAt = new Date(created ?? Number.NaN);
    const known = Number.isNaN(createdAt.getTime()) ? {} : { createdAt };
    steps.push({ ...known, createdBy, comment, names: [], ...(empty ? { size: 0 } : layerStep()) });
  }
  const [newest, ...older] = steps.reverse();
  if (!newest) return [];
  return [{ ...newest, id: descriptor.digest, names: namesOf(index, descriptor.digest) }, ...older];
}
