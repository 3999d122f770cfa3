import assert from "node:assert/strict";
import type { ContentStore } from "@ramekin/core";
import { collect, digestFor, pseudoRandom, rejects, sameBytes, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { blob, offsetOf, put } from "./blob.ts";

/** From the first byte to the commit. */
export const writing: readonly Case<ContentStore>[] = [
  {
    name: "a blob shows when it is committed, and not before",
    async run(store) {
      const { bytes, digest, size } = blob("hello");
      const writer = await store.open("a", { expected: { digest, size } });
      await writer.write(bytes);
      assert.equal(await store.stat(digest), undefined);
      await rejects(collect(store.read(digest)), "NOT_FOUND");
      assert.deepEqual(await Array.fromAsync(store.list()), []);
      const info = await writer.commit();
      assert.deepEqual([info.digest, info.size], [digest, size]);
      assert.equal((await store.stat(digest))?.size, size);
      sameBytes(await collect(store.read(digest)), bytes);
    },
  },
  {
    name: "an empty blob is a blob",
    async run(store) {
      const { digest } = blob("");
      const writer = await store.open("empty", { expected: { digest, size: 0 } });
      assert.equal((await writer.commit()).size, 0);
      assert.equal((await store.stat(digest))?.size, 0);
      assert.equal((await collect(store.read(digest))).byteLength, 0);
    },
  },
  {
    name: "a large blob in uneven chunks comes back byte for byte",
    async run(store) {
      const bytes = pseudoRandom(5_000_011);
      const digest = digestFor(bytes);
      const writer = await store.open("large", { expected: { digest, size: bytes.byteLength } });
      for (let offset = 0, step = 1; offset < bytes.byteLength; offset += step, step = (step * 3) % 300_007) {
        await writer.write(bytes.subarray(offset, offset + step));
      }
      assert.equal(writer.offset, bytes.byteLength);
      await writer.commit();
      sameBytes(await collect(store.read(digest)), bytes);
    },
  },
  {
    name: "a chunk is the caller's again once it is written",
    async run(store) {
      const { digest } = blob("aaabbb");
      const writer = await store.open("reused");
      const chunk = utf8("aaa");
      await writer.write(chunk);
      chunk.fill(98);
      await writer.write(chunk);
      assert.equal((await writer.commit()).digest, digest);
    },
  },
  {
    name: "sha512 names blobs as well",
    async run(store) {
      const bytes = utf8("hello");
      const digest = digestFor(bytes, "sha512");
      const writer = await store.open("long", { expected: { digest } });
      await writer.write(bytes);
      assert.equal((await writer.commit()).digest, digest);
      sameBytes(await collect(store.read(digest)), bytes);
    },
  },
  {
    name: "what is expected may be said as late as at the commit",
    async run(store) {
      const { bytes, digest, size } = blob("late");
      const writer = await store.open("late");
      await writer.write(bytes);
      await rejects(writer.commit({ size: size + 1 }), "FAILED_PRECONDITION");
      assert.equal((await writer.commit({ digest, size })).digest, digest);
      const long = digestFor(utf8("late 512"), "sha512");
      const other = await store.open("late 512");
      await other.write(utf8("late 512"));
      assert.equal((await other.commit({ digest: long })).digest, long);
    },
  },
  {
    name: "a wrong digest is refused, and its bytes are dropped",
    async run(store) {
      const wrong = blob("other").digest;
      const writer = await store.open("wrong", { expected: { digest: wrong } });
      await writer.write(utf8("bytes"));
      await rejects(writer.commit(), "DATA_LOSS");
      await writer.close();
      assert.equal(await store.stat(wrong), undefined);
      assert.equal(await store.stat(blob("bytes").digest), undefined);
      assert.equal(await offsetOf(store, "wrong"), 0);
    },
  },
  {
    name: "too few bytes are refused, and may be followed by more",
    async run(store) {
      const { digest, size } = blob("hello world");
      const writer = await store.open("short", { expected: { digest, size } });
      await writer.write(utf8("hello"));
      await rejects(writer.commit(), "FAILED_PRECONDITION");
      assert.equal(writer.offset, 5);
      await writer.write(utf8(" world"));
      assert.equal((await writer.commit()).digest, digest);
    },
  },
  {
    name: "more bytes than expected are refused as they come",
    async run(store) {
      const { digest, size } = blob("hello");
      const writer = await store.open("long", { expected: { digest, size } });
      await writer.write(utf8("hel"));
      await rejects(writer.write(utf8("lo!")), "DATA_LOSS");
      assert.equal(writer.offset, 3);
      await writer.write(utf8("lo"));
      assert.equal((await writer.commit()).digest, digest);
    },
  },
  {
    name: "more bytes than the commit expects are refused",
    async run(store) {
      const writer = await store.open("long");
      await writer.write(utf8("hello"));
      await rejects(writer.commit({ size: 4 }), "DATA_LOSS");
      await writer.close();
      assert.equal(await store.stat(blob("hello").digest), undefined);
    },
  },
  {
    name: "a blob that is here need not be written",
    async run(store) {
      const { digest, size } = await put(store, "hello");
      await rejects(store.open("again", { expected: { digest, size } }), "ALREADY_EXISTS");
    },
  },
  {
    name: "committing what is here already is no error",
    async run(store) {
      const { digest, bytes } = blob("hello");
      const [first, second] = [await store.open("first"), await store.open("second")];
      await first.write(bytes);
      await second.write(bytes);
      assert.equal((await first.commit()).digest, digest);
      assert.equal((await second.commit({ digest })).digest, digest);
      assert.equal((await Array.fromAsync(store.list())).length, 1);
      sameBytes(await collect(store.read(digest)), bytes);
      assert.deepEqual(await Array.fromAsync(store.ingests()), []);
    },
  },
  {
    name: "any number of writers may bring the same blob at once",
    async run(store) {
      const bytes = pseudoRandom(300_000, 7);
      const digest = digestFor(bytes);
      await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          const writer = await store.open(`racer ${index}`);
          for (let offset = 0; offset < bytes.byteLength; offset += 50_000) await writer.write(bytes.subarray(offset, offset + 50_000));
          assert.equal((await writer.commit({ digest })).size, bytes.byteLength);
        }),
      );
      assert.equal((await Array.fromAsync(store.list())).length, 1);
      sameBytes(await collect(store.read(digest)), bytes);
    },
  },
];
