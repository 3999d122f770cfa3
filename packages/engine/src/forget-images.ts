import type { Cancellable, Digest } from "@ramekin/core";
import { layoutEntries, namesOf, removeDigest } from "@ramekin/oci";
import type { Scope } from "./scope.ts";
import { changeImages } from "./store/images.ts";

/** An image that has left index.json, and the names that it had. */
export interface Forgotten {
  readonly id: Digest;
  /** Canonical. */
  readonly names: readonly string[];
}

/** Takes images out of index.json with all their names; `goes` is asked about what stands there now. */
export async function forgetImages(
  scope: Scope,
  goes: (id: Digest, names: readonly string[]) => boolean,
  options: Cancellable = {},
): Promise<readonly Forgotten[]> {
  const forgotten: Forgotten[] = [];
  await changeImages(
    scope.paths,
    (index) => {
      let after = index;
      for (const id of new Set(layoutEntries(index).map(({ digest }) => digest))) {
        const names = namesOf(index, id);
        if (!goes(id, names)) continue;
        forgotten.push({ id, names });
        after = removeDigest(after, id);
      }
      return after;
    },
    options,
  );
  return forgotten;
}

export function tellForgotten(scope: Scope, forgotten: readonly Forgotten[]): void {
  for (const { id, names } of forgotten) {
    for (const name of names) scope.emit("image", "untag", id, { name });
    scope.emit("image", "delete", id);
  }
}
