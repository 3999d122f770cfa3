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
export {
  image,
  Recipe,
  type RecipeAdd,
  type RecipeBase,
  type RecipeCopy,
  type RecipeHealthcheck,
  type RecipeMount,
  type RecipeRun,
  type RecipeWrite,
} from "@ramekin/builder/recipe";
export * from "@ramekin/engine";
export { createRamekin, type Ramekin, type RamekinOptions } from "./ramekin.ts";
