import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BuildDescription, BuildOptions, BuildResult } from "@ramekin/builder";
import type { Plugin } from "@ramekin/core";
import { createEngine, type Engine, type EngineOptions } from "@ramekin/engine";
import { obeying } from "@ramekin/engine/obey";
import { defaultPlugins } from "./defaults.ts";

export interface RamekinOptions extends EngineOptions {
  /** Beside the drivers that come with Ramekin. */
  readonly plugins?: readonly Plugin[];
}

/** An engine that builds images, too. */
export interface Ramekin extends Engine {
  /** An image of a Dockerfile. Stages that do not need one another are built at once; a step whose inputs are known is not done again. */
  build(options: BuildOptions): Promise<BuildResult>;
  /** What the build checks find, what a target takes, what can be built: without building, and without fetching anything. */
  describeBuild(options: BuildOptions): Promise<BuildDescription>;
}

/**
 * An engine with everything that comes with Ramekin.
 *
 *     await using engine = await createRamekin();
 *     await using container = await engine.run({ image: "ramekin/hello" });
 *     for await (const bytes of container.stdout) process.stdout.write(bytes);
 *     const { code } = await container.wait();
 */
export async function createRamekin({ plugins = [], ...options }: RamekinOptions = {}): Promise<Ramekin> {
  const hello = helloLayout();
  const engine = await createEngine([...defaultPlugins(), ...plugins], {
    ...options,
    ...(hello !== undefined && { embedded: { "docker.io/ramekin/hello:latest": hello } }),
  });
  const builds = obeying({
    build: async (asked: BuildOptions) => (await import("@ramekin/builder")).build(engine, asked),
    describeBuild: async (asked: BuildOptions) => (await import("@ramekin/builder")).describeBuild(engine, asked),
  });
  return Object.assign(engine, builds);
}

/** The image that comes with the package, beside `src` and `dist`. */
function helloLayout(): string | undefined {
  const path = join(import.meta.dirname, "..", "hello");
  return existsSync(join(path, "oci-layout")) ? path : undefined;
}
