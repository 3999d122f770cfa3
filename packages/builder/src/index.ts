export { build } from "./build.ts";
export type { BuildEvent, BuildOptions, BuildResult } from "./build-options.ts";
