import type { Cancellable } from "@ramekin/core";
import type { PrunedBuilds } from "../api.ts";
import { collectGarbage } from "../collect.ts";
import type { Scope } from "../scope.ts";
import { forgetSteps } from "../store/build-cache.ts";

/** See `Engine.pruneBuilds`. */
export async function pruneBuilds(scope: Scope, { until }: Cancellable & { readonly until?: Date } = {}): Promise<PrunedBuilds> {
  await scope.opened();
  const steps = await forgetSteps(scope.paths, until);
  const { reclaimed } = await collectGarbage(scope, { measure: true });
  return { steps, reclaimed };
}
