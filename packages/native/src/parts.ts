import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RamekinError } from "@ramekin/core";

export type PartName = "ramekin.node" | "ramekin-rootfs" | "ramekin-shim" | "ramekin-launcher" | "ramekin-init";

/** One build of the native parts. */
export interface NativeParts {
  readonly directory: string;
  /** What every part was built with; absent in a directory that no build script has filled. */
  readonly buildId: string | undefined;
}

let found: NativeParts | undefined;

/** `RAMEKIN_NATIVE_DIR`, else the build of the checkout that we lie in, else the package for this platform; UNSUPPORTED when there is none. */
export function nativeParts(): NativeParts {
  found ??= find();
  return found;
}

/** Absolute path of one part. */
export function nativeProgram(name: PartName): string {
  const { directory } = nativeParts();
  const path = join(directory, name);
  if (!existsSync(path)) throw new RamekinError("UNSUPPORTED", `${name} is missing in ${directory}`, { hint: buildHint });
  return path;
}

const platform = `${process.platform}-${process.arch}`;
const buildHint = "build the native parts with node scripts/build-native.mjs, or point RAMEKIN_NATIVE_DIR at them";
const installHint = `install @ramekin/native-${platform}, where there is one: npm leaves it out with --omit=optional`;

function find(): NativeParts {
  const chosen = process.env["RAMEKIN_NATIVE_DIR"];
  const workspace = workspaceBuild();
  const candidates = chosen ? [chosen] : [workspace, platformPackage()];
  const directory = candidates.find((candidate) => candidate !== undefined && existsSync(candidate));
  if (directory === undefined) {
    const where = chosen || workspace || `@ramekin/native-${platform}`;
    const hint = chosen || workspace ? buildHint : installHint;
    throw new RamekinError("UNSUPPORTED", `no native parts: ${where} was not found`, { hint });
  }
  return { directory, buildId: buildIdOf(directory) };
}

function platformPackage(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    return join(dirname(require.resolve(`@ramekin/native-${platform}/package.json`)), "parts");
  } catch {
    // Not installed: optional dependencies of other platforms never are.
    return undefined;
  }
}

/** Next to the lock file of the workspace that this module lies in, built (`dist`) or not (`src`). */
function workspaceBuild(): string | undefined {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "pnpm-workspace.yaml"))) {
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
  return join(directory, ".cache", "native");
}

function buildIdOf(directory: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "build.json"), "utf8")).id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new RamekinError("DATA_LOSS", `${join(directory, "build.json")} is not readable`, { cause: error, hint: buildHint });
  }
}
