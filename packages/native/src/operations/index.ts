export { type AppliedTree, type ApplyLayerOptions, adopt, applyLayer, type Implied } from "./apply.ts";
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
