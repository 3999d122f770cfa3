import assert from "node:assert/strict";
import type { Codec } from "@ramekin/core";
import { collect, pieces, pseudoRandom, rejects, sameBytes, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { decode, type Format, mixed, soon, stuckAfter } from "./streams.ts";

export const encoding = ({ unpack }: Format): readonly Case<Codec>[] => [
  {
    name: "what it encodes, others decode, and itself",
    needs: ["encode"],
    run: async (codec) => {
      for (const bytes of [utf8("x"), mixed(2 << 20), pseudoRandom(300_000)]) {
        const packed = await collect(codec.encode!(pieces(bytes)));
        sameBytes(unpack(packed), bytes);
        sameBytes(await decode(codec, packed), bytes);
      }
    },
  },
  {
    name: "nothing is encoded as empty content",
    needs: ["encode"],
    run: async (codec) => {
      const packed = await collect(codec.encode!(pieces(new Uint8Array(0))));
      assert.ok(packed.byteLength > 0);
      assert.equal(unpack(packed).byteLength, 0);
    },
  },
  {
    name: "a level is a trade of size for time",
    needs: ["encode"],
    run: async (codec) => {
      const bytes = mixed(1 << 20);
      const [fast, small] = [
        await collect(codec.encode!(pieces(bytes), { level: 1 })),
        await collect(codec.encode!(pieces(bytes), { level: 9 })),
      ];
      sameBytes(unpack(fast), bytes);
      sameBytes(unpack(small), bytes);
      assert.ok(small.byteLength < fast.byteLength, `level 9 makes ${small.byteLength} bytes, level 1 ${fast.byteLength}`);
      await rejects(collect(codec.encode!(pieces(bytes), { level: 1000 })), "INVALID_ARGUMENT");
      await rejects(collect(codec.encode!(pieces(bytes), { level: 1.5 })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "reproducible bytes do not depend on the chunks, or are refused",
    needs: ["encode"],
    run: async (codec) => {
      const bytes = mixed(1 << 20);
      const made: Buffer[] = [];
      for (const chunk of [1000, 65_536, bytes.byteLength]) {
        try {
          made.push(await collect(codec.encode!(pieces(bytes, chunk), { reproducible: true })));
        } catch (error) {
          await rejects(Promise.reject(error), "UNSUPPORTED");
        }
      }
      for (const packed of made) {
        sameBytes(unpack(packed), bytes);
        sameBytes(packed, made[0] as Buffer);
      }
      assert.ok(made.length === 0 || made.length === 3, "refused for some chunks only");
    },
  },
  {
    name: "a signal ends encoding, though the source is stuck",
    needs: ["encode"],
    run: async (codec) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      await soon(rejects(collect(codec.encode!(stuckAfter(mixed(1 << 20)), { signal: stop.signal })), "CANCELLED"));
    },
  },
  {
    name: "the source's own error comes through encoding",
    needs: ["encode"],
    run: async (codec) => {
      const broken = new Error("the line went dead");
      const source = async function* () {
        yield utf8("some");
        throw broken;
      };
      await assert.rejects(collect(codec.encode!(source())), (error) => error === broken);
    },
  },
];
