import { definePlugin, type PluginFactory, RamekinError, type Support } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { nativeApplier, nativeDiffer } from "./layer.ts";

export { nativeApplier, nativeDiffer } from "./layer.ts";

const layerNative: PluginFactory = definePlugin(() => ({
  name: "layer-native",
  provides: {
    applier: { native: { probe, create: () => nativeApplier } },
    differ: { native: { probe, create: () => nativeDiffer } },
  },
}));
export default layerNative;

function probe(): Support {
  try {
    nativeProgram("ramekin-rootfs");
    return { ok: true };
  } catch (error) {
    if (!(error instanceof RamekinError)) throw error;
    return { ok: false, reason: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
}
