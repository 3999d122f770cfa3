import { type Cancellable, type Descriptor, RamekinError } from "@ramekin/core";
import { type LayoutIndex, layoutEntries, namesOf, removeDigest, removeName } from "@ramekin/oci";
import type { ContainerConfig, RemovedImage, RemoveImageOptions } from "./api.ts";
import { collectGarbage } from "./collect.ts";
import { departs } from "./departure.ts";
import { records } from "./mount-image.ts";
import { familiarName, mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { allIds, currentState, isLive, readConfigIfThere } from "./store/containers.ts";
import { changeImages, readImages } from "./store/images.ts";

/**
 * See `Engine.removeImage`. A name goes by itself while the image has others; the last one takes the image with it. An id stands
 * for all names, which takes `force` when there are several.
 */
export async function removeImage(scope: Scope, text: string, options: RemoveImageOptions = {}): Promise<readonly RemovedImage[]> {
  await scope.opened();
  if (options.platforms?.length) return (await import("./remove-platform.ts")).removePlatforms(scope, text, options.platforms, options);
  const { descriptor, name: found } = mustResolve(await readImages(scope.paths), text);
  const names = namesOf(await readImages(scope.paths), descriptor.digest);
  const byId = isId(text, descriptor);
  if (byId && names.length > 1 && !options.force) {
    throw conflict(
      `image ${short(descriptor)} has several names: ${names.map(familiarName).join(", ")}`,
      "remove the names one by one, or remove it with force",
    );
  }
  const going = byId || found === undefined ? names : [found];
  const last = going.length === names.length;
  if (last) await refuseWhileUsed(scope, descriptor, going[0] ?? text, options.force ?? false, options);

  const untagged: string[] = [];
  const without = (index: LayoutIndex) => {
    let after: LayoutIndex = index;
    for (const name of going) {
      if (!namesOf(after, descriptor.digest).includes(name)) continue;
      after = removeName(after, name);
      untagged.push(name);
    }
    // A name that came in meanwhile keeps it.
    return namesOf(after, descriptor.digest).length === 0 ? removeDigest(after, descriptor.digest) : after;
  };
  await changeImages(scope.paths, without, options);
  for (const name of untagged) scope.emit("image", "untag", descriptor.digest, { name });
  const removed: readonly RemovedImage[] = untagged.map((name) => ({ untagged: familiarName(name) }));
  if (!last || layoutEntries(await readImages(scope.paths)).some(({ digest }) => digest === descriptor.digest)) return removed;
  const { blobs } = options.noPrune ? { blobs: [] } : await collectGarbage(scope);
  scope.emit("image", "delete", descriptor.digest);
  const order = [descriptor.digest, ...blobs.filter((digest) => digest !== descriptor.digest)];
  return [...removed, ...order.map((deleted) => ({ deleted }))];
}

const isId = (text: string, { digest }: Descriptor) => digest.startsWith(text) || digest.slice(digest.indexOf(":") + 1).startsWith(text);
const short = ({ digest }: Descriptor) => digest.slice(digest.indexOf(":") + 1).slice(0, 12);
const conflict = (why: string, hint: string) => new RamekinError("FAILED_PRECONDITION", `conflict: ${why}`, { hint });

/** A running container's image stays, whatever is said; a stopped one's with `force` loses its name, and its data only when that goes. */
async function refuseWhileUsed(scope: Scope, image: Descriptor, name: string, force: boolean, options: Cancellable): Promise<void> {
  if ((await records(scope)).some(({ id }) => id === image.digest)) {
    throw conflict(`unable to remove ${name}: image ${short(image)} is mounted`, `\`ramekin image unmount ${name}\` first`);
  }
  for (const config of await configsUsing(scope, image)) {
    if (await departs(scope, config.id, options)) continue;
    const { status } = await currentState(scope, config);
    const live = isLive(status);
    if (force && !live) continue;
    throw conflict(
      `unable to remove ${name}: container ${config.id.slice(0, 12)} is ${live ? "running on" : "using"} its referenced image ${short(image)}`,
      live ? `stop and remove container ${config.name} first` : `remove container ${config.name} first, or remove the image with force`,
    );
  }
}

async function configsUsing(scope: Scope, { digest }: Descriptor): Promise<readonly ContainerConfig[]> {
  const configs = await Promise.all((await allIds(scope.paths)).map((id) => readConfigIfThere(scope.paths, id)));
  return configs.filter((config) => config?.image.descriptor.digest === digest) as ContainerConfig[];
}
