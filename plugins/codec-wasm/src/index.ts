import { definePlugin, type PluginFactory, type Support } from "@ramekin/core";
import { wasmDigester } from "./digester.ts";
import { probeInflate, wasmGzip } from "./gzip.ts";

export { probeInflate, wasmDigester, wasmGzip };

const webAssembly = (rank: number) => (): Support =>
  "WebAssembly" in globalThis ? { ok: true, rank } : { ok: false, reason: "there is no WebAssembly here" };

/** Ranks are megabytes of content per second of processor time, as measured through these codecs on one machine, for all of them together. */
const codecWasm: PluginFactory = definePlugin(() => ({
  name: "codec-wasm",
  provides: {
    codec: { "wasm-gzip": { for: "gzip", probe: probeInflate, create: () => wasmGzip } },
    digester: {
      "wasm-sha256": { for: "sha256", probe: webAssembly(180), create: () => wasmDigester("sha256") },
      "wasm-sha512": { for: "sha512", probe: webAssembly(210), create: () => wasmDigester("sha512") },
    },
  },
}));
export default codecWasm;
