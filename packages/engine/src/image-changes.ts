import type { Cancellable, Change, Platform } from "@ramekin/core";
import { changes } from "@ramekin/native";
import { topOf } from "./image.ts";
import type { Scope } from "./scope.ts";
import { openViews } from "./view.ts";

/** See `Engine.imageChanges`. */
export async function* imageChanges(
  scope: Scope,
  text: string,
  base: string | undefined,
  options: Cancellable & { readonly platform?: Platform } = {},
): AsyncGenerator<Change> {
  await using views = await openViews(scope, options);
  const image = await views.open(text, options.platform);
  const below = base === undefined ? image.layers.at(-2)?.chainID : topOf(await views.open(base, options.platform));
  const above = topOf(image);
  if (above === below) return;
  yield* changes(await views.mounts(above), await views.mounts(below), { signal: options.signal });
}
