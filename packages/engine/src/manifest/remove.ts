import { type Cancellable, RamekinError } from "@ramekin/core";
import { findName } from "@ramekin/oci";
import type { RemovedImage } from "../api.ts";
import { removeImage } from "../remove-image.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { isMadeHere, listName, noSuchList } from "./list.ts";

/** See `Engine.removeManifestList`. A pulled image is an index as often as not, and nobody means it here. */
export async function removeManifestList(scope: Scope, text: string, options?: Cancellable): Promise<readonly RemovedImage[]> {
  const name = listName(text);
  await scope.opened();
  const entry = findName(await readImages(scope.paths), name);
  if (!entry) throw noSuchList(name);
  if (!isMadeHere(entry)) {
    throw new RamekinError("NOT_FOUND", `no such manifest: ${text} is an image that was not made by manifest create`, {
      hint: `\`ramekin rmi ${text}\` removes images`,
    });
  }
  return removeImage(scope, name, options);
}
