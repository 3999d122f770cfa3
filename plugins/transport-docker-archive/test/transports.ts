import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { TransportUnderTest } from "@ramekin/conformance";
import { type Codec, type Digest, RamekinError, type Transport } from "@ramekin/core";
import { dockerArchive, dualArchive, imageFolder, type TransportOptions } from "../src/index.ts";

/** In an engine, codecs and digesters come from the context; these take streams whole. */
const codec = (format: string): Codec => ({
  format,
  detect: () => false,
  decode: async function* (source) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    try {
      yield (format === "gzip" ? gunzipSync : zstdDecompressSync)(Buffer.concat(chunks));
    } catch (error) {
      throw new RamekinError("DATA_LOSS", `not ${format}`, { cause: error });
    }
  },
});

const digester: TransportOptions["digester"] = (algorithm) => ({
  algorithm,
  create: () => {
    const hash = createHash(algorithm);
    return {
      update: (chunk) => {
        hash.update(chunk);
      },
      digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
    };
  },
});

export type FreshTransport = TransportUnderTest & AsyncDisposable & { readonly root: string };

async function fresh(
  make: (options: TransportOptions) => Transport,
  capabilities: TransportUnderTest["capabilities"],
): Promise<FreshTransport> {
  const root = await mkdtemp(join(tmpdir(), "ramekin-transport-"));
  let count = 0;
  return {
    ...make({ directory: join(root, "spool"), digester, codec }),
    root,
    capabilities,
    fresh: async () => {
      const folder = join(root, `place-${count++}`);
      await mkdir(folder);
      return join(folder, "image");
    },
    files: async () => (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

export const freshDocker = (): Promise<FreshTransport> => fresh(dockerArchive, { archive: true });
export const freshDual = (): Promise<FreshTransport> => fresh(dualArchive, { archive: true, indexes: true });
export const freshFolder = (): Promise<FreshTransport> => fresh(imageFolder, { indexes: true });
