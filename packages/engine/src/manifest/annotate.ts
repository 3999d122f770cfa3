import type { Cancellable, Platform } from "@ramekin/core";
import { findName } from "@ramekin/oci";
import type { ManifestListInfo, PlatformAnnotation } from "../manifest-api.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { takeLease } from "../store/leases.ts";
import { changeList } from "./change.ts";
import { listName, noSuchList } from "./list.ts";
import { findMember, noSuchMember } from "./member.ts";
import { checkPlatformNames } from "./platform-names.ts";

/** See `Engine.annotateManifest`. */
export async function annotateManifest(
  scope: Scope,
  text: string,
  member: string,
  annotation: PlatformAnnotation,
  options?: Cancellable,
): Promise<ManifestListInfo> {
  const name = listName(text);
  await scope.opened();
  if (!findName(await readImages(scope.paths), name)) throw noSuchList(name);
  await using lease = await takeLease(scope.paths);
  return await changeList(
    scope,
    name,
    (list) => {
      if (!list) throw noSuchList(name);
      const meant = findMember(list, member);
      if (!meant) throw noSuchMember(text, list, member);
      const platform = annotated(meant.platform, annotation);
      checkPlatformNames(platform);
      const members = list.index.manifests.map((each) => (each === meant ? { ...each, platform } : each));
      return { members, sources: list.sources };
    },
    lease,
    options,
  );
}

function annotated(before: Platform | undefined, { os, architecture, variant, osVersion, osFeatures = [] }: PlatformAnnotation): Platform {
  const features = [...new Set([...(before?.["os.features"] ?? []), ...osFeatures])];
  return {
    ...before,
    architecture: architecture ?? before?.architecture ?? "",
    os: os ?? before?.os ?? "",
    ...(variant !== undefined && { variant }),
    ...(osVersion !== undefined && { "os.version": osVersion }),
    ...(features.length > 0 && { "os.features": features }),
  };
}
