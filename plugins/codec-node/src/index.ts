import { definePlugin, type PluginFactory } from "@ramekin/core";
import { nodeDigester } from "./digester.ts";
import { nodeGzip } from "./gzip.ts";
import { hasZstd, nodeZstd } from "./zstd.ts";

export { hasZstd, nodeDigester, nodeGzip, nodeZstd };

/** Ranks are megabytes of content per second of processor time, as measured through these codecs on one machine, for all of them together. */
const codecNode: PluginFactory = definePlugin(() => ({
  name: "codec-node",
  provides: {
    codec: {
      "node-gzip": { for: "gzip", probe: () => ({ ok: true, rank: 290 }), create: () => nodeGzip },
      "node-zstd": {
        for: "zstd",
        probe: () =>
          hasZstd()
            ? { ok: true, rank: 300 }
            : { ok: false, reason: `node ${process.version} has no zstd`, hint: "node 22.15 or later has it" },
        create: () => nodeZstd,
      },
    },
    digester: {
      "node-sha256": { for: "sha256", probe: () => ({ ok: true, rank: 1090 }), create: () => nodeDigester("sha256") },
      "node-sha512": { for: "sha512", probe: () => ({ ok: true, rank: 450 }), create: () => nodeDigester("sha512") },
    },
  },
}));
export default codecNode;
