import { directoryBed } from "@ramekin/conformance";
import type { StorageDriver } from "@ramekin/core";
import { vfsStorage } from "../src/index.ts";

export const bed = await directoryBed<StorageDriver>("storage-vfs", vfsStorage, new URL("./serve.ts", import.meta.url));

export const skip = {
  "usage counts only the snapshot itself": "a copy holds its parent's bytes too",
  "a stack of 500 layers": "no layer is mounted over another: 120 copies show the same as 500",
};
