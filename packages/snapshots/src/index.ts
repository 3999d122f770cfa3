export type { Snapshot, SnapshotRecord } from "./record.ts";
export { type SnapshotFiles, snapshotStorage } from "./storage.ts";
export { known, openStore, type Store } from "./store.ts";
