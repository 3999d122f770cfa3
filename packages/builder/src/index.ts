export { build } from "./build.ts";
export type { BuildEvent, BuildOptions, BuildResult, BuildWarning, FailedStep } from "./build-options.ts";
export { type BuildCheck, type BuildDescription, type BuildOutline, type BuildTarget, describeBuild } from "./describe-build.ts";
