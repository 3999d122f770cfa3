import { randomBytes, randomInt } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { nativeDigester, nativeGzip, nativeZstd } from "@ramekin/codec-native";
import { nodeDigester, nodeGzip, nodeZstd } from "@ramekin/codec-node";
import { wasmDigester, wasmGzip } from "@ramekin/codec-wasm";
import { type Codec, type Digester, isRamekinError } from "@ramekin/core";
import { nativeSupport } from "@ramekin/native";
import { describe, expect, test } from "vitest";

/** All that implement one thing must agree byte for byte, on good input and on bad: then choosing is a matter of speed. */
const native = nativeSupport().ok;
const gzips: readonly Codec[] = [nodeGzip, wasmGzip, ...(native ? [nativeGzip] : [])];
const zstds: readonly Codec[] = [nodeZstd, ...(native ? [nativeZstd] : [])];

/** What came out, and how it ended. Bytes before an error may differ: how much is read ahead is each one's own affair. */
async function outcome(codec: Codec, bytes: Uint8Array, chunk: number): Promise<string> {
  const source = (async function* () {
    for (let offset = 0; offset < bytes.byteLength; offset += chunk) yield bytes.subarray(offset, offset + chunk);
  })();
  const hasher = await nodeDigester("sha256").create();
  let size = 0;
  try {
    for await (const piece of codec.decode(source, { maxOutput: 8 << 20 })) {
      hasher.update(piece);
      size += piece.byteLength;
    }
    return `${size} ${hasher.digest()}`;
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return error.code;
  }
}

const flipped = (bytes: Uint8Array): Uint8Array => {
  const wrong = Uint8Array.from(bytes);
  const at = randomInt(bytes.byteLength);
  wrong[at] = (wrong[at] ?? 0) ^ (1 << randomInt(8));
  return wrong;
};

function inputs(pack: (bytes: Uint8Array) => Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const text = Buffer.from("all work and no play ".repeat(2000));
  const members = [new Uint8Array(0), text, randomBytes(randomInt(1, 200_000)), new Uint8Array(randomInt(1, 1_000_000))].map(pack);
  const whole = Buffer.concat(members);
  return [
    ...members.map((bytes, index) => [`member ${index}`, bytes] as const),
    ["all members", whole],
    ["padding", Buffer.concat([whole, Buffer.alloc(randomInt(1, 5000))])],
    ["garbage", Buffer.concat([whole, randomBytes(20)])],
    ["one zero, then garbage", Buffer.concat([whole, Buffer.from([0, 1])])],
    ["nothing", new Uint8Array(0)],
    ["zeros", new Uint8Array(100)],
    ["noise", randomBytes(500)],
    ["a bomb", pack(Buffer.alloc(9 << 20))],
    ...Array.from({ length: 20 }, () => ["cut off", whole.subarray(0, randomInt(1, whole.byteLength))] as const),
    ...Array.from({ length: 40 }, () => ["a flipped bit", flipped(pack(text))] as const),
  ];
}

for (const [format, codecs, pack] of [
  ["gzip", gzips, (bytes: Uint8Array) => gzipSync(bytes)],
  ["zstd", zstds, (bytes: Uint8Array) => zstdCompressSync(bytes)],
] as const) {
  describe(`all that decode ${format} agree`, () => {
    test.for(inputs(pack))("%s", { timeout: 60_000 }, async ([name, bytes]) => {
      const chunk = [1009, 65_536, bytes.byteLength || 1][randomInt(3)] ?? 1;
      const found = await Promise.all(codecs.map((codec) => outcome(codec, bytes, chunk)));
      expect(new Set(found).size, `${name}, ${found.join(" | ")}: ${Buffer.from(bytes).subarray(0, 4000).toString("base64")}`).toBe(1);
    });
  });
}

test("what one encodes, all decode", async () => {
  const bytes = Buffer.concat([randomBytes(100_000), Buffer.alloc(100_000, "text ")]);
  for (const codecs of [gzips, zstds]) {
    for (const encoder of codecs) {
      const packed: Uint8Array[] = [];
      const source = (async function* () {
        yield bytes;
      })();
      for await (const piece of encoder.encode?.(source) ?? []) packed.push(piece);
      const found = await Promise.all(codecs.map((codec) => outcome(codec, Buffer.concat(packed), 1000)));
      expect(new Set(found).size).toBe(1);
      expect(found[0]).toMatch(/^200000 /);
    }
  }
});

test("all digesters agree, whatever the chunks", async () => {
  const bytes = randomBytes(randomInt(1, 500_000));
  for (const algorithm of ["sha256", "sha512"] as const) {
    const digesters: readonly Digester[] = [
      nodeDigester(algorithm),
      wasmDigester(algorithm),
      ...(native ? [nativeDigester(algorithm)] : []),
    ];
    const digests: string[] = [];
    for (const digester of digesters) {
      const hasher = await digester.create();
      for (let offset = 0, size = 0; offset < bytes.byteLength; offset += size) {
        size = randomInt(1, 10_000);
        hasher.update(bytes.subarray(offset, offset + size));
      }
      digests.push(hasher.digest());
    }
    expect(new Set(digests).size).toBe(1);
  }
});
