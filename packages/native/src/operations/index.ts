export { type AppliedTree, type ApplyLayerOptions, adopt, applyLayer, type Implied } from "./apply.ts";
export {
  type FoundFile,
  giveTo,
  lookAt,
  type PackOptions,
  packTree,
  populate,
  type TreeBind,
  type UnpackOptions,
  unpackInto,
  type View,
  type ViewOptions,
} from "./copy.ts";
export { changes, type DiffedTrees, diffTrees } from "./diff.ts";
export {
  type CopiedTree,
  copyTree,
  type FilesystemSupport,
  mount,
  probeFilesystem,
  readFile,
  removeTree,
  type Tree,
  unmount,
  usage,
} from "./trees.ts";
