import { type ByteStream, type DiffID, RamekinError } from "@ramekin/core";
import { type ContainerImageConfig, putName, putUnnamed } from "@ramekin/oci";
import type { ImageInfo, SquashOptions } from "./api.ts";
import { isEmptyLayer, storeDerived } from "./derived-image.ts";
import { contentOf, type OpenedImage, topOf } from "./image.ts";
import { describeImage } from "./images.ts";
import { nameFrom, type StoredLayer, storeLayer } from "./import.ts";
import type { Scope } from "./scope.ts";
import { changeImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";
import { openViews, type Views } from "./view.ts";

/** See `Engine.squashImage`. The difference of two trees, whatever lay between them, is the layer. */
export async function squashImage(scope: Scope, text: string, options: SquashOptions = {}): Promise<ImageInfo> {
  const name = options.name === undefined ? undefined : nameFrom(options.name, "squash");
  await using views = await openViews(scope, options);
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);
  const image = await views.open(text, options.platform);
  const base = options.onto === undefined ? undefined : await views.open(options.onto, options.platform);
  const below = base?.layers ?? [];
  if (base && topOf(base) !== image.layers[below.length - 1]?.chainID)
    throw new RamekinError("FAILED_PRECONDITION", `image ${text} is not built on ${options.onto}: it has other layers at its bottom`);

  const tar = merged(scope, views, base, image, options);
  const layer = await storeLayer(scope, content, lease, { format: undefined, bytes: tar }, options);
  const root = await storeDerived(content, lease, image.manifest, {
    below: below.map(({ descriptor }) => descriptor),
    layer,
    config: squashedConfig(image, base, layer, options.message),
  });
  await changeImages(scope.paths, (index) => (name === undefined ? putUnnamed(index, root) : putName(index, name, root)), options);
  scope.emit("image", "squash", root.digest, name === undefined ? {} : { name });
  return describeImage(scope, root, name, options);
}

async function* merged(
  scope: Scope,
  views: Views,
  base: OpenedImage | undefined,
  image: OpenedImage,
  { signal }: SquashOptions,
): ByteStream {
  const differ = views.storage.differ ?? (await scope.kernel.use("differ"));
  yield* differ.diff(await views.mounts(base && topOf(base)), await views.mounts(topOf(image)), { signal });
}

/** As Docker's squash writes it: the steps stay, without layers of their own; a last one has the layer and says what it came of. */
function squashedConfig(
  image: OpenedImage,
  base: OpenedImage | undefined,
  layer: StoredLayer,
  message: string | undefined,
): ContainerImageConfig {
  const kept = base?.layers.length ?? 0;
  const { config } = image;
  const created = new Date().toISOString();
  const from = base ? ` to ${base.manifest.config.digest}` : "";
  let layers = 0;
  const steps = (config.history ?? []).map((step) => {
    if (step.empty_layer !== true) layers += 1;
    return step.empty_layer === true || layers <= kept ? step : { ...step, empty_layer: true };
  });
  const comment = message ?? `merge ${image.manifest.config.digest}${from}`;
  return {
    ...config,
    created,
    rootfs: {
      type: "layers",
      diff_ids: [...image.layers.slice(0, kept).map(({ diffID }) => diffID), ...(isEmptyLayer(layer) ? [] : [layer.diffID as DiffID])],
    },
    history: [...steps, { created, comment, ...(isEmptyLayer(layer) && { empty_layer: true }) }],
  };
}
