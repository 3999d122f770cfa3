import { definePlugin, type PluginFactory } from "@ramekin/core";
import { overlayStorage } from "./overlay.ts";
import { probe } from "./probe.ts";

export type { OverlayMode } from "./mounts.ts";
export { overlayStorage };

const overlayfs: PluginFactory = definePlugin(() => ({
  name: "storage-overlayfs",
  provides: { storage: { overlayfs: { probe, maxRank: 100, create: ({ root }) => overlayStorage(root) } } },
}));
export default overlayfs;
