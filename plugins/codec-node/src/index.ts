import { definePlugin, type PluginFactory } from "@ramekin/core";
import { nodeDigester } from "./digester.ts";
import { nodeGzip } from "./gzip.ts";
import { hasZstd, nodeZstd } from "./zstd.ts";

export { hasZstd, nodeDigester, nodeGzip, nodeZstd };

/** Loaded with the first such stream: what starts processes takes its time. */
const program = (format: string, magic: readonly number[]) => ({
  for: format,
  probe: async () => (await import("./program.ts")).probeProgram(format),
  create: async () => (await import("./program.ts")).programCodec(format, magic),
});

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
      "program-xz": program("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
      "program-bzip2": program("bzip2", [0x42, 0x5a, 0x68]),
    },
    digester: {
      "node-sha256": { for: "sha256", probe: () => ({ ok: true, rank: 1090 }), create: () => nodeDigester("sha256") },
      "node-sha512": { for: "sha512", probe: () => ({ ok: true, rank: 450 }), create: () => nodeDigester("sha512") },
    },
  },
}));
export default codecNode;
