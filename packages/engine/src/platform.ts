import { arch } from "node:os";
import type { Platform } from "@ramekin/core";
import { normalizePlatform } from "@ramekin/oci";

/** What this machine runs. */
export function hostPlatform(): Platform {
  const architecture = { x64: "amd64", ia32: "386", ppc64: "ppc64le" }[arch() as string] ?? arch();
  return normalizePlatform({ os: "linux", architecture });
}
