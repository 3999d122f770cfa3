export { type BlobSource, type ReadBlobOptions, readBlob } from "./blob.ts";
export {
  allCapabilities,
  capabilityMask,
  capabilitySets,
  chooseCapabilities,
  defaultCapabilities,
  maskedCapabilities,
} from "./capabilities.ts";
export { chainIDs } from "./chain-id.ts";
export { applyChange } from "./change.ts";
export { readDescriptor, readDescriptors } from "./descriptor.ts";
export { defaultDevices, deviceMounts, deviceRules, type SpecDevice } from "./devices.ts";
export { asDiffID, blobPath, type DigesterFor, digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from "./digest.ts";
export { type ContainerImage, checkPlatform, findManifest, type ImageOptions, imageFrom, manifestsBelow, pairLayers } from "./image.ts";
export { type ContainerImageConfig, type Healthcheck, type HistoryEntry, type ImageRunConfig, parseImageConfig } from "./image-config.ts";
export { isObject, type JsonObject, parseJsonObject, Violations } from "./json.ts";
export {
  checkLayoutMarker,
  emptyLayoutIndex,
  findName,
  formatLayoutIndex,
  type LayoutIndex,
  layoutEntries,
  layoutMarker,
  maxLayoutIndexSize,
  namesOf,
  parseLayoutIndex,
  putName,
  putUnnamed,
  refName,
  refNameAnnotation,
  removeDigest,
  removeName,
  withRefName,
} from "./layout.ts";
export {
  detectManifestType,
  type ImageIndex,
  maxIndexDepth,
  maxManifestEntries,
  maxManifestSize,
  parseIndex,
  parseManifest,
} from "./manifest.ts";
export {
  acceptedManifestTypes,
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  layerCompression,
  mediaTypes,
} from "./media-types.ts";
export { defaultMaskedPaths, defaultMounts, defaultReadonlyPaths, type MountDefaults, mergeMounts } from "./mounts.ts";
export { choosePlatform, formatPlatform, noPlatform, normalizePlatform, parsePlatform, platformRank } from "./platform.ts";
export { familiarReference, familiarRepository, formatReference, isLoopbackRegistry, parseReference } from "./reference.ts";
export type * from "./runtime-config.ts";
export { defaultPath, defaultSpec, type SpecOptions } from "./runtime-spec.ts";
export { resolveSeccomp, type SeccompCondition, type SeccompMachine, type SeccompProfile, type SeccompProfileRule } from "./seccomp.ts";
export { defaultSeccompProfile } from "./seccomp-profile.ts";
export { validateImage } from "./validate.ts";
