import type { Volume } from "../api.ts";
import { attempt, type Scope } from "../scope.ts";
import { holdersOf, noSuchVolume, readVolume, type VolumeFile, volumeNames, volumePaths } from "../store/volumes.ts";

/** See `Volumes.list`. One that cannot be read is told of and left out. */
export async function listVolumes(scope: Scope): Promise<readonly Volume[]> {
  await scope.opened();
  const found: Volume[] = [];
  for (const name of await volumeNames(scope.paths)) {
    await attempt(scope, `reading volume ${name}`, async () => {
      const file = await readVolume(scope.paths, name);
      if (file) found.push(await describeVolume(scope, file));
    });
  }
  return found;
}

/** See `Volumes.inspect`. */
export async function inspectVolume(scope: Scope, name: string): Promise<Volume> {
  return describeVolume(scope, await mustReadVolume(scope, name));
}

export async function mustReadVolume(scope: Scope, name: string): Promise<VolumeFile> {
  await scope.opened();
  const file = await readVolume(scope.paths, name);
  if (!file) throw noSuchVolume(name);
  return file;
}

export async function describeVolume(scope: Scope, file: VolumeFile): Promise<Volume> {
  const { name, driver, labels, options, anonymous } = file;
  return {
    name,
    driver,
    createdAt: new Date(file.createdAt),
    labels,
    options,
    mountpoint: volumePaths(scope.paths, name).data,
    anonymous,
    containers: await holdersOf(scope.paths, name),
  };
}
