import { definePlugin, type PluginFactory } from "@ramekin/core";
import { vfsStorage } from "./vfs.ts";

export { vfsStorage };

const vfs: PluginFactory = definePlugin(() => ({
  name: "storage-vfs",
  provides: { storage: { vfs: { maxRank: 10, probe: () => ({ ok: true, rank: 10 }), create: ({ root }) => vfsStorage(root) } } },
}));
export default vfs;
