import { type Cancellable, RamekinError } from "@ramekin/core";
import { findName, formatReference, type LayoutIndex, parseReference, putName } from "@ramekin/oci";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { changeImages } from "./store/images.ts";

/** See `Engine.tag`. */
export async function tag(scope: Scope, source: string, target: string, options?: Cancellable): Promise<void> {
  await scope.opened();
  const reference = parseReference(target);
  if (reference.digest !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `cannot tag ${target}: a name with a digest cannot be given`, {
      hint: "leave out the digest",
    });
  const name = formatReference(reference);
  const retag = (before: LayoutIndex) => {
    const { descriptor } = mustResolve(before, source);
    return findName(before, name)?.digest === descriptor.digest ? before : putName(before, name, descriptor);
  };
  const index = await changeImages(scope.paths, retag, options);
  scope.emit("image", "tag", findName(index, name)?.digest ?? "", { name });
}
