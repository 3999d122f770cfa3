import assert from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import type { Codec } from "@ramekin/core";
import { rejects, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { concat, decode, decodesTo, formats, mixed, zeros } from "./streams.ts";

const { pack } = formats.zstd;
const hello = utf8("hello, hello, hello");

/** RFC 8878, 3.1.2. */
function skippable(content: Uint8Array, magic = 0): Uint8Array {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, 0x184d2a50 + magic, true);
  head.setUint32(4, content.byteLength, true);
  return concat(new Uint8Array(head.buffer), content);
}

/** RFC 8878. */
export const zstdCases: readonly Case<Codec>[] = [
  {
    name: "skippable frames anywhere are skipped",
    run: async (codec) => {
      const packed = concat(
        skippable(hello),
        pack(hello),
        skippable(zeros(0), 15),
        skippable(mixed(200_000), 3),
        pack(hello),
        skippable(pack(hello)),
      );
      for (const chunk of [1000, 3, packed.byteLength]) await decodesTo(codec, packed, concat(hello, hello), chunk);
      await decodesTo(codec, concat(packed, zeros(100)), concat(hello, hello));
    },
  },
  {
    name: "skippable frames alone are an empty stream",
    run: (codec) => decodesTo(codec, concat(skippable(hello), skippable(hello, 7)), new Uint8Array(0)),
  },
  {
    name: "a skippable frame that is cut off is corrupt",
    run: async (codec) => {
      const frame = skippable(hello);
      for (let length = 1; length < frame.byteLength; length++)
        await rejects(decode(codec, concat(pack(hello), frame.subarray(0, length))), "DATA_LOSS");
    },
  },
  {
    name: "frames begin with skippable ones too",
    run: async (codec) => {
      assert.equal(codec.detect(skippable(hello).subarray(0, 16)), true);
      assert.equal(codec.detect(skippable(hello, 15).subarray(0, 4)), true);
    },
  },
  {
    name: "frames with and without checksum, content size and long window",
    run: async (codec) => {
      const bytes = mixed(3 << 20);
      for (const params of [
        { [constants.ZSTD_c_checksumFlag]: 0 },
        { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 },
        { [constants.ZSTD_c_windowLog]: 24 },
        { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 10 },
        { [constants.ZSTD_c_compressionLevel]: -5 },
      ]) {
        await decodesTo(codec, zstdCompressSync(bytes, { params }), bytes);
      }
    },
  },
  {
    name: "blocks that repeat one byte, and blocks as they are",
    run: async (codec) => {
      // Frame header: no checksum, no content size, a window of 1 KiB; then an RLE block of 1000 bytes, and a raw last one of 5.
      const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00];
      const rle = ((1000 << 3) | (1 << 1)) >>> 0;
      const raw = ((5 << 3) | 1) >>> 0;
      const block = (header: number) => [header & 255, (header >> 8) & 255, header >> 16];
      const packed = Uint8Array.from([...head, ...block(rle), 65, ...block(raw), ...utf8("tail!")]);
      await decodesTo(codec, packed, utf8(`${"A".repeat(1000)}tail!`));
      await decodesTo(codec, packed, utf8(`${"A".repeat(1000)}tail!`), 1);
    },
  },
];
