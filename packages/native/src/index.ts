/** The native parts behind typed functions. Importing this loads none of them; the first call that needs one does. */

export { addon, nativeSupport } from "./addon.ts";
export { decodeStream, encodeStream, type NativeFormat } from "./codec.ts";
export { buffersMade } from "./garbage.ts";
export { createHasher } from "./hasher.ts";
export { type Lock, type LockOptions, lock, tryLock } from "./lock.ts";
export * from "./operations/index.ts";
export { ownerLock } from "./owner-lock.ts";
export { type NativeParts, nativeParts, nativeProgram, type PartName } from "./parts.ts";
export { randomHex, randomUUID } from "./random.ts";
export { type RootfsOptions, type RootfsRun, rootfs, startRootfs } from "./rootfs.ts";
export { syncFileSystem } from "./sync.ts";
export { type IdMaps, rootlessUserns } from "./userns.ts";
