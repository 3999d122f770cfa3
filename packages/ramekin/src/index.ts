export type { BuildEvent, BuildOptions, BuildResult } from "@ramekin/builder";
export * from "@ramekin/engine";
export { createRamekin, type Ramekin, type RamekinOptions } from "./ramekin.ts";
