import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Digester, Hasher } from "@ramekin/core";
import { pseudoRandom, utf8 } from "./expect.ts";
import type { Suite } from "./suite.ts";

/** FIPS 180-4 and NIST's examples: message, sha256, sha512. */
const vectors: readonly (readonly [message: string, sha256: string, sha512: string])[] = [
  [
    "",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
  ],
  [
    "abc",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
  ],
];

const digestOf = (digester: Digester, ...chunks: readonly Uint8Array[]) => digestOfAll(digester, chunks);

async function digestOfAll(digester: Digester, chunks: Iterable<Uint8Array>): Promise<string> {
  const hasher = await digester.create();
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.digest();
}

export const digesterSuite: Suite<Digester> = {
  kind: "digester",
  cases: [
    {
      name: "the examples of the standard",
      async run(digester) {
        for (const [message, sha256, sha512] of vectors) {
          const expected = digester.algorithm === "sha256" ? sha256 : sha512;
          assert.equal(await digestOf(digester, utf8(message)), `${digester.algorithm}:${expected}`);
        }
      },
    },
    {
      name: "nothing at all has a digest",
      async run(digester) {
        const [, sha256, sha512] = vectors[0] as (typeof vectors)[number];
        assert.equal(await digestOf(digester), `${digester.algorithm}:${digester.algorithm === "sha256" ? sha256 : sha512}`);
      },
    },
    {
      name: "every length around the block sizes",
      async run(digester) {
        const bytes = pseudoRandom(300);
        for (let length = 0; length <= bytes.byteLength; length++) {
          const part = bytes.subarray(0, length);
          assert.equal(
            await digestOf(digester, part),
            `${digester.algorithm}:${createHash(digester.algorithm).update(part).digest("hex")}`,
          );
        }
      },
    },
    {
      name: "how bytes are cut into chunks does not matter",
      async run(digester) {
        const bytes = pseudoRandom(200_003, 5);
        const whole = await digestOf(digester, bytes);
        for (const size of [1, 63, 64, 65, 127, 128, 129, 4096, 65_536, 199_999]) {
          const chunks: Uint8Array[] = [];
          for (let offset = 0; offset < bytes.byteLength; offset += size)
            chunks.push(bytes.subarray(offset, offset + size), new Uint8Array(0));
          assert.equal(await digestOfAll(digester, chunks), whole, `chunks of ${size}`);
        }
      },
    },
    {
      name: "a large message",
      async run(digester) {
        const bytes = pseudoRandom(20 << 20, 9);
        assert.equal(
          await digestOf(digester, bytes),
          `${digester.algorithm}:${createHash(digester.algorithm).update(bytes).digest("hex")}`,
        );
      },
    },
    {
      name: "a chunk is the caller's again after update",
      async run(digester) {
        const hasher = await digester.create();
        const chunk = utf8("abc");
        hasher.update(chunk);
        chunk.fill(0);
        assert.equal(hasher.digest(), await digestOf(digester, utf8("abc")));
      },
    },
    {
      name: "hashers do not know of each other",
      async run(digester) {
        const hashers: Hasher[] = [];
        for (let index = 0; index < 50; index++) hashers.push(await digester.create());
        for (let round = 0; round < 10; round++) for (const [index, hasher] of hashers.entries()) hasher.update(utf8(`${index} ${round},`));
        for (const [index, hasher] of hashers.entries()) {
          const message = utf8(Array.from({ length: 10 }, (_, round) => `${index} ${round},`).join(""));
          assert.equal(hasher.digest(), `${digester.algorithm}:${createHash(digester.algorithm).update(message).digest("hex")}`);
        }
      },
    },
    {
      name: "a digest ends its computation, and no other",
      async run(digester) {
        const first = await digester.create();
        first.update(utf8("first"));
        first.digest();
        assert.equal(await digestOf(digester, utf8("abc")), await digestOf(digester, utf8("abc")));
        assert.notEqual(await digestOf(digester, utf8("abc")), await digestOf(digester, utf8("abd")));
      },
    },
  ],
};
