import { findName, isIndexType } from "@ramekin/oci";
import type { RemovedImage } from "../api.ts";
import { removeImage } from "../remove-image.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { listName, noSuchList } from "./list.ts";

/** See `Engine.removeManifestList`. */
export async function removeManifestList(scope: Scope, text: string): Promise<readonly RemovedImage[]> {
  const name = listName(text);
  await scope.opened();
  const entry = findName(await readImages(scope.paths), name);
  if (!entry || !isIndexType(entry.mediaType)) throw noSuchList(name);
  return removeImage(scope, name);
}
