import { definePlugin, type PluginFactory, type Support } from "@ramekin/core";
import { nativeSupport } from "@ramekin/native";
import { nativeGzip, nativeZstd } from "./codec.ts";
import { nativeDigester } from "./digester.ts";

export { nativeDigester, nativeGzip, nativeZstd };

const ranked = (rank: number) => (): Support => {
  const support = nativeSupport();
  return support.ok ? { ok: true, rank } : support;
};

/** Ranks are megabytes per second, decoded or hashed, as measured on one machine for all codecs. */
const codecNative: PluginFactory = definePlugin(() => ({
  name: "codec-native",
  provides: {
    codec: {
      "native-gzip": { for: "gzip", probe: ranked(344), create: () => nativeGzip },
      "native-zstd": { for: "zstd", probe: ranked(746), create: () => nativeZstd },
    },
    digester: {
      "native-sha256": { for: "sha256", probe: ranked(1342), create: () => nativeDigester("sha256") },
      "native-sha512": { for: "sha512", probe: ranked(440), create: () => nativeDigester("sha512") },
    },
  },
}));
export default codecNative;
