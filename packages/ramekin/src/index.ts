export type {
  BuildCheck,
  BuildDescription,
  BuildEvent,
  BuildOptions,
  BuildOutline,
  BuildResult,
  BuildTarget,
  BuildWarning,
  FailedStep,
} from "@ramekin/builder";
export * from "@ramekin/engine";
export { createRamekin, type Ramekin, type RamekinOptions } from "./ramekin.ts";
