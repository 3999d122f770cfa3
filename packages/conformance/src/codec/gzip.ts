import { crc32, deflateRawSync } from "node:zlib";
import type { Codec } from "@ramekin/core";
import { rejects, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { concat, decode, decodesTo, zeros } from "./streams.ts";

const hello = utf8("hello, hello, hello");

function member(flags: number, optional: Uint8Array = new Uint8Array(0), method = 8): Uint8Array {
  const header = concat(Uint8Array.of(0x1f, 0x8b, method, flags, 1, 2, 3, 4, 0, 255), optional);
  const check = new DataView(new ArrayBuffer(2));
  check.setUint16(0, crc32(header) & 0xffff, true);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc32(hello), true);
  trailer.setUint32(4, hello.byteLength, true);
  return concat(
    header,
    flags & 2 ? new Uint8Array(check.buffer) : new Uint8Array(0),
    deflateRawSync(hello),
    new Uint8Array(trailer.buffer),
  );
}

const extra = Uint8Array.of(4, 0, 65, 66, 0, 0);
const name = utf8("a name\0");
const comment = utf8("a comment\0");

/** RFC 1952. */
export const gzipCases: readonly Case<Codec>[] = [
  {
    name: "optional header fields, each and all",
    run: async (codec) => {
      const all: [number, Uint8Array][] = [
        [1, new Uint8Array(0)],
        [4, extra],
        [8, name],
        [16, comment],
        [2, new Uint8Array(0)],
        [31, concat(extra, name, comment)],
      ];
      for (const [flags, optional] of all) {
        await decodesTo(codec, member(flags, optional), hello);
        await decodesTo(codec, member(flags, optional), hello, 1);
      }
    },
  },
  {
    name: "a large extra field",
    run: (codec) => decodesTo(codec, member(4, concat(Uint8Array.of(0xff, 0xff), zeros(65_535))), hello, 1000),
  },
  {
    name: "a header with a wrong checksum is corrupt",
    run: async (codec) => {
      const right = member(31, concat(extra, name, comment));
      const wrong = right.slice();
      wrong[5] = 99;
      await rejects(decode(codec, wrong), "DATA_LOSS");
    },
  },
  {
    name: "unknown methods and reserved flags are corrupt",
    run: async (codec) => {
      await rejects(decode(codec, member(0, undefined, 7)), "DATA_LOSS");
      for (const flags of [0x20, 0x40, 0x80]) await rejects(decode(codec, member(flags)), "DATA_LOSS");
    },
  },
  {
    name: "a wrong length in the trailer is corrupt",
    run: async (codec) => {
      const wrong = member(0);
      wrong[wrong.byteLength - 1] = 1;
      await rejects(decode(codec, wrong), "DATA_LOSS");
    },
  },
];
