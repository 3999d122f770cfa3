import { type Platform, RamekinError } from "@ramekin/core";

/** The architectures that Go knows for each system (`go tool dist list`, 1.25, and those that were dropped lately): what docker manifest allows is among them. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  aix: ["ppc64"],
  android: ["386", "amd64", "arm", "arm64"],
  darwin: ["386", "amd64", "arm", "arm64"],
  dragonfly: ["amd64"],
  freebsd: ["386", "amd64", "arm", "arm64", "riscv64"],
  illumos: ["amd64"],
  ios: ["amd64", "arm64"],
  js: ["wasm"],
  linux: ["386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x"],
  netbsd: ["386", "amd64", "arm", "arm64"],
  openbsd: ["386", "amd64", "arm", "arm64", "ppc64", "riscv64"],
  plan9: ["386", "amd64", "arm"],
  solaris: ["amd64"],
  wasi: ["wasm"],
  wasip1: ["wasm"],
  windows: ["386", "amd64", "arm", "arm64"],
};

/** A name with a slip of the pen in it would be chosen by nobody. */
export function checkPlatformNames({ os, architecture }: Platform): void {
  if (Object.hasOwn(architectures, os) && architectures[os]?.includes(architecture)) return;
  const known = Object.hasOwn(architectures, os) ? architectures[os] : undefined;
  throw new RamekinError("INVALID_ARGUMENT", `manifest entry for image has unsupported os/arch combination: ${os}/${architecture}`, {
    hint: known ? `for ${os} there are ${known.join(", ")}` : `systems are ${Object.keys(architectures).join(", ")}`,
  });
}
