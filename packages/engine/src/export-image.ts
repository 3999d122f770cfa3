import type { Cancellable, Platform } from "@ramekin/core";
import { topOf } from "./image.ts";
import type { Scope } from "./scope.ts";
import { openViews } from "./view.ts";

/** See `Engine.exportImage`. The difference to nothing is everything. */
export async function* exportImage(
  scope: Scope,
  text: string,
  options: Cancellable & { readonly platform?: Platform } = {},
): AsyncGenerator<Uint8Array> {
  await using views = await openViews(scope, options);
  const image = await views.open(text, options.platform);
  const differ = views.storage.differ ?? (await scope.kernel.use("differ"));
  yield* differ.diff([], await views.mounts(topOf(image)), { signal: options.signal });
}
