import { definePlugin, type PluginFactory, type Support } from "@ramekin/core";
import { nativeSupport } from "@ramekin/native";
import { nativeGzip, nativeZstd } from "./codec.ts";
import { nativeDigester } from "./digester.ts";

export { nativeDigester, nativeGzip, nativeZstd };

const ranked = (rank: number) => (): Support => {
  const support = nativeSupport();
  return support.ok ? { ok: true, rank } : support;
};

/** Ranks are megabytes of content per second of processor time, as measured through these codecs on one machine, for all of them together. */
const codecNative: PluginFactory = definePlugin(() => ({
  name: "codec-native",
  provides: {
    codec: {
      "native-gzip": { for: "gzip", probe: ranked(355), create: () => nativeGzip },
      "native-zstd": { for: "zstd", probe: ranked(440), create: () => nativeZstd },
    },
    digester: {
      "native-sha256": { for: "sha256", probe: ranked(950), create: () => nativeDigester("sha256") },
      "native-sha512": { for: "sha512", probe: ranked(410), create: () => nativeDigester("sha512") },
    },
  },
}));
export default codecNative;
