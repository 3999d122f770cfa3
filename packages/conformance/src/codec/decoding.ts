import assert from "node:assert/strict";
import type { Codec } from "@ramekin/core";
import { collect, pieces, pseudoRandom, rejects, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { concat, decode, decodesTo, type Format, mixed, soon, stuckAfter, watched, zeros } from "./streams.ts";

const hello = utf8("hello, hello, hello");

/** What holds for every format. */
export const decoding = ({ name: format, pack }: Format): readonly Case<Codec>[] => [
  {
    name: "one member",
    run: (codec) => decodesTo(codec, pack(hello), hello),
  },
  {
    name: "a large stream of all kinds of blocks",
    run: async (codec) => {
      const bytes = mixed(12 << 20);
      await decodesTo(codec, pack(bytes), bytes);
    },
  },
  {
    name: "chunks of any size, down to one byte",
    run: async (codec) => {
      const bytes = mixed(120_000, 3);
      const packed = concat(pack(bytes), pack(hello), zeros(10));
      for (const chunk of [1, 2, 3, 7, 511, 512, 4096, 65_537, packed.byteLength])
        await decodesTo(codec, packed, concat(bytes, hello), chunk);
    },
  },
  {
    name: "empty chunks in between",
    run: async (codec) => {
      const packed = pack(hello);
      const source = (async function* () {
        for (const byte of packed) yield* [new Uint8Array(0), Uint8Array.of(byte), new Uint8Array(0)];
      })();
      assert.equal(String(await collect(codec.decode(source))), String(Buffer.from(hello)));
    },
  },
  {
    name: "concatenated members are one stream",
    run: async (codec) => {
      const parts = [hello, zeros(100_000), utf8("x"), pseudoRandom(70_000), hello];
      const packed = concat(...parts.map(pack));
      for (const chunk of [1000, 65_536, packed.byteLength]) await decodesTo(codec, packed, concat(...parts), chunk);
    },
  },
  {
    name: "a thousand small members",
    run: async (codec) => {
      const parts = Array.from({ length: 1000 }, (_, index) => utf8(`member ${index}\n`));
      await decodesTo(codec, concat(...parts.map(pack)), concat(...parts));
    },
  },
  {
    name: "members that end where a chunk ends",
    run: async (codec) => {
      const [a, b] = [pack(hello), pack(utf8("world"))];
      const source = (async function* () {
        yield* [a, b, zeros(5), zeros(5)];
      })();
      assert.equal(String(await collect(codec.decode(source))), "hello, hello, helloworld");
    },
  },
  {
    name: "empty content, alone and between others",
    run: async (codec) => {
      const empty = pack(new Uint8Array(0));
      await decodesTo(codec, empty, new Uint8Array(0));
      await decodesTo(codec, concat(empty, pack(hello), empty, empty), hello);
    },
  },
  {
    name: "zeros behind the last member are padding",
    run: async (codec) => {
      for (const length of [1, 3, 4, 512, 200_000]) {
        await decodesTo(codec, concat(pack(hello), zeros(length)), hello);
        await decodesTo(codec, concat(pack(hello), zeros(length)), hello, 5);
      }
    },
  },
  {
    name: "no input is not an empty stream",
    run: async (codec) => {
      await rejects(decode(codec, new Uint8Array(0)), "DATA_LOSS");
      await rejects(decode(codec, zeros(512)), "DATA_LOSS");
    },
  },
  {
    name: "what is in no such format is corrupt",
    run: async (codec) => {
      for (const bytes of [utf8("x"), utf8("plain text, and enough of it"), pseudoRandom(1000)])
        await rejects(decode(codec, bytes), "DATA_LOSS");
    },
  },
  {
    name: "a stream that is cut off anywhere is corrupt",
    run: async (codec) => {
      const packed = pack(utf8("some text that is compressed, text that is compressed"));
      for (let length = 1; length < packed.byteLength; length++) await rejects(decode(codec, packed.subarray(0, length)), "DATA_LOSS");
    },
  },
  {
    name: "a second member that is cut off is corrupt",
    run: async (codec) => {
      const [a, b] = [pack(hello), pack(hello)];
      // From five bytes on: a shorter rest might be anything.
      for (let length = 5; length < b.byteLength; length++) await rejects(decode(codec, concat(a, b.subarray(0, length))), "DATA_LOSS");
    },
  },
  {
    name: "a large stream that is cut off is corrupt",
    run: async (codec) => {
      const packed = pack(mixed(1 << 20));
      for (const missing of [1, 4, 8, 1000, packed.byteLength / 2])
        await rejects(decode(codec, packed.subarray(0, packed.byteLength - missing)), "DATA_LOSS");
    },
  },
  {
    name: "garbage behind the last member is corrupt",
    run: async (codec) => {
      await rejects(decode(codec, concat(pack(hello), utf8("x"))), "DATA_LOSS");
      await rejects(decode(codec, concat(pack(hello), utf8("garbage garbage"))), "DATA_LOSS");
      await rejects(decode(codec, concat(pack(hello), utf8("garbage garbage")), {}, 1), "DATA_LOSS");
    },
  },
  {
    name: "garbage behind padding is corrupt, a member there too",
    run: async (codec) => {
      await rejects(decode(codec, concat(pack(hello), zeros(1000), utf8("x"))), "DATA_LOSS");
      await rejects(decode(codec, concat(pack(hello), zeros(512), pack(hello))), "DATA_LOSS");
    },
  },
  {
    name: "a wrong checksum is corrupt",
    run: async (codec) => {
      const bytes = mixed(200_000, 4);
      const packed = pack(bytes);
      // gzip: checksum, then length; zstd: checksum.
      const at = packed.byteLength - (format === "gzip" ? 8 : 4);
      const wrong = packed.slice();
      wrong[at] = (wrong[at] as number) ^ 1;
      await rejects(decode(codec, wrong), "DATA_LOSS");
    },
  },
  {
    name: "flipped bits are found, wherever they are",
    run: async (codec) => {
      const packed = pack(mixed(3000, 6));
      // Behind the headers: a time there, or the padding of a stored block, is nobody's loss.
      for (let at = 16; at < packed.byteLength; at += 13) {
        const wrong = packed.slice();
        wrong[at] = (wrong[at] as number) ^ 0x10;
        await rejects(decode(codec, wrong), "DATA_LOSS");
      }
    },
  },
  {
    name: "a bomb is refused before it goes off",
    run: async (codec) => {
      const limit = 1 << 20;
      const packed = pack(zeros(200 << 20));
      let size = 0;
      await rejects(
        (async () => {
          for await (const chunk of codec.decode(pieces(packed), { maxOutput: limit })) size += chunk.byteLength;
        })(),
        "RESOURCE_EXHAUSTED",
      );
      assert.ok(size <= limit, `${size} bytes were handed out, the limit is ${limit}`);
    },
  },
  {
    name: "as much as allowed is not too much",
    run: async (codec) => {
      const bytes = mixed(300_000, 8);
      const packed = concat(pack(bytes), pack(hello));
      assert.equal((await decode(codec, packed, { maxOutput: 300_000 + hello.byteLength })).byteLength, 300_000 + hello.byteLength);
      await rejects(decode(codec, packed, { maxOutput: 300_000 + hello.byteLength - 1 }), "RESOURCE_EXHAUSTED");
      await rejects(decode(codec, packed, { maxOutput: 0 }), "RESOURCE_EXHAUSTED");
    },
  },
  {
    name: "a signal ends it, though the source is stuck",
    run: async (codec) => {
      const stop = new AbortController();
      const packed = pack(mixed(1 << 20));
      setTimeout(() => stop.abort(), 50);
      await soon(
        rejects(collect(codec.decode(stuckAfter(packed.subarray(0, packed.byteLength / 2)), { signal: stop.signal })), "CANCELLED"),
      );
    },
  },
  {
    name: "a signal that has fired before is heard",
    run: async (codec) => {
      await rejects(decode(codec, pack(hello), { signal: AbortSignal.abort() }), "CANCELLED");
    },
  },
  {
    name: "the source's own error comes through as it is",
    run: async (codec) => {
      const broken = new Error("the line went dead");
      const packed = pack(mixed(1 << 20));
      const source = async function* (count: number) {
        yield packed.subarray(0, count);
        throw broken;
      };
      for (const count of [0, 5, packed.byteLength / 2])
        await assert.rejects(collect(codec.decode(source(count))), (error) => error === broken);
    },
  },
  {
    name: "the source is closed when the reader leaves, and after an error",
    run: async (codec) => {
      const packed = pack(pseudoRandom(4 << 20, 2));
      const left = watched(pieces(packed));
      for await (const _ of codec.decode(left.stream)) break;
      const failed = watched(pieces(concat(packed, utf8("garbage"), pack(hello))));
      await rejects(collect(codec.decode(failed.stream)), "DATA_LOSS");
      await soon(
        (async () => {
          while (!left.seen.closed || !failed.seen.closed) await new Promise((resolve) => setTimeout(resolve, 5));
        })(),
        2000,
      );
    },
  },
  {
    name: "no more is taken from the source than the reader needs",
    run: async (codec) => {
      const packed = pack(pseudoRandom(16 << 20, 2));
      const { stream, seen } = watched(pieces(packed));
      const iterator = codec.decode(stream)[Symbol.asyncIterator]();
      await iterator.next();
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(seen.bytes < packed.byteLength / 2, `${seen.bytes} of ${packed.byteLength} bytes for the first chunk`);
      await iterator.return?.();
    },
  },
  {
    name: "several streams at once do not mix",
    run: async (codec) => {
      const all = Array.from({ length: 6 }, (_, index) => mixed(400_000 + index, index + 1));
      await Promise.all(all.map((bytes) => decodesTo(codec, pack(bytes), bytes, 10_000)));
    },
  },
  {
    name: "its format is known by the first bytes",
    run: async (codec) => {
      assert.equal(codec.format, format);
      assert.equal(codec.detect(pack(hello).subarray(0, 16)), true);
      for (const other of [new Uint8Array(0), zeros(16), utf8("plain text, more or less"), pack(hello).subarray(0, 1)])
        assert.equal(codec.detect(other), false);
      const foreign = format === "gzip" ? Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0) : Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0);
      assert.equal(codec.detect(foreign), false);
    },
  },
];
