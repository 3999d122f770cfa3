import { RamekinError } from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import type { Volume, VolumeDraft } from "../api.ts";
import type { Scope } from "../scope.ts";
import { checkVolumeName, makeVolume, readVolume, type VolumeFile } from "../store/volumes.ts";
import { describeVolume } from "./list.ts";
import { checkDriverOptions } from "./mount.ts";

/** By it Docker's tools tell a volume that nobody has named. */
const anonymousLabel = "com.docker.volume.anonymous";

/** See `Volumes.create`. */
export async function createVolume(scope: Scope, options: VolumeDraft & { readonly name?: string } = {}): Promise<Volume> {
  await scope.opened();
  return describeVolume(scope, await ensureVolume(scope, options.name, options));
}

/** The volume of that name, made when there is none. */
export async function ensureVolume(scope: Scope, name: string | undefined, draft: VolumeDraft): Promise<VolumeFile> {
  checkDraft(name, draft);
  const file: VolumeFile = {
    version: 1,
    name: name ?? randomHex(32),
    driver: draft.driver ?? "local",
    createdAt: new Date().toISOString(),
    labels: { ...draft.labels, ...(name === undefined && { [anonymousLabel]: "" }) },
    options: draft.driverOptions ?? {},
    anonymous: name === undefined,
  };
  for (;;) {
    const found = await readVolume(scope.paths, file.name);
    if (found) return found;
    if (!(await makeVolume(scope.paths, file))) continue;
    scope.emit("volume", "create", file.name, { driver: file.driver });
    return file;
  }
}

/** What can be refused before anything is made. */
export function checkDraft(name: string | undefined, { driver = "local", driverOptions = {} }: VolumeDraft): void {
  if (name !== undefined) checkVolumeName(name);
  if (driver !== "local") {
    throw new RamekinError("NOT_FOUND", `error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`, {
      hint: "`local` is the only driver of volumes in this version",
    });
  }
  checkDriverOptions(driverOptions);
}
