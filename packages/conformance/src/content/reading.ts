import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { ContentStore, Digest, FileStream } from "@ramekin/core";
import { collect, pseudoRandom, rejects, sameBytes } from "../expect.ts";
import type { Case } from "../suite.ts";
import { blob, put } from "./blob.ts";

/** What is there, and how it goes. */
export const reading: readonly Case<ContentStore>[] = [
  {
    name: "an unknown blob has no stat and no bytes",
    async run(store) {
      const { digest } = blob("never written");
      assert.equal(await store.stat(digest), undefined);
      await rejects(collect(store.read(digest)), "NOT_FOUND");
    },
  },
  {
    name: "any range of a blob can be read",
    async run(store) {
      const { digest } = await put(store, "0123456789");
      const range = async (offset?: number, length?: number) =>
        String(await collect(store.read(digest, { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) })));
      assert.equal(await range(), "0123456789");
      assert.equal(await range(3), "3456789");
      assert.equal(await range(3, 4), "3456");
      assert.equal(await range(undefined, 2), "01");
      assert.equal(await range(8, 100), "89");
      assert.equal(await range(10), "");
      assert.equal(await range(5, 0), "");
    },
  },
  {
    name: "a stream that says that it is a file is all of that file",
    async run(store) {
      const { digest } = await put(store, "0123456789");
      const fileOf = (options?: { offset?: number; length?: number }) => (store.read(digest, options) as Partial<FileStream>).wholeFile;
      for (const part of [{ offset: 1 }, { length: 9 }, { offset: 0, length: 10 }]) {
        const path = fileOf(part);
        if (path !== undefined) assert.equal(await readFile(path, "utf8"), String(await collect(store.read(digest, part))));
      }
      const path = fileOf();
      if (path !== undefined) assert.equal(await readFile(path, "utf8"), "0123456789");
      assert.equal(String(await collect(store.read(digest))), "0123456789");
    },
  },
  {
    name: "an offset beyond the end is an error",
    async run(store) {
      const { digest } = await put(store, "0123456789");
      await rejects(collect(store.read(digest, { offset: 11 })), "INVALID_ARGUMENT");
      await rejects(collect(store.read(digest, { offset: -1 })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "chunks stay what they were while reading goes on",
    async run(store) {
      const bytes = pseudoRandom(3_000_000, 3);
      const writer = await store.open("big");
      await writer.write(bytes);
      const { digest } = await writer.commit();
      const kept = await Array.fromAsync(store.read(digest));
      sameBytes(Buffer.concat(kept), bytes);
    },
  },
  {
    name: "list gives every blob once",
    async run(store) {
      const before = Date.now() - 60_000;
      const blobs = [await put(store, "a"), await put(store, "bb"), await put(store, "ccc")];
      const found = await Array.fromAsync(store.list());
      assert.deepEqual(
        found.map(({ digest, size }) => `${digest} ${size}`).sort(),
        blobs.map(({ digest, size }) => `${digest} ${size}`).sort(),
      );
      assert.ok(found.every(({ createdAt }) => createdAt.getTime() > before && createdAt.getTime() < Date.now() + 60_000));
    },
  },
  {
    name: "a deleted blob is gone, and can come again",
    async run(store) {
      const { digest } = await put(store, "gone");
      const other = await put(store, "stays");
      await store.delete(digest);
      assert.equal(await store.stat(digest), undefined);
      await rejects(collect(store.read(digest)), "NOT_FOUND");
      assert.ok(await store.stat(other.digest));
      await put(store, "gone");
      assert.ok(await store.stat(digest));
    },
  },
  {
    name: "deleting what is not there is a no-op",
    async run(store) {
      const { digest } = await put(store, "gone");
      await store.delete(digest);
      await store.delete(digest);
      await store.delete(blob("never written").digest);
    },
  },
  {
    // CVE-2024-3727: a digest that is not checked names any file.
    name: "what is no digest names nothing",
    async run(store) {
      await put(store, "there");
      for (const text of ["sha256:../../index.json", "sha256:..", `sha256:${"A".repeat(64)}`, "sha256:", "../x", `md5:${"a".repeat(32)}`]) {
        const digest = text as Digest;
        await rejects(store.stat(digest), "INVALID_ARGUMENT", "UNSUPPORTED");
        await rejects(collect(store.read(digest)), "INVALID_ARGUMENT", "UNSUPPORTED");
        await rejects(store.delete(digest), "INVALID_ARGUMENT", "UNSUPPORTED");
        await rejects(store.open("x", { expected: { digest } }), "INVALID_ARGUMENT", "UNSUPPORTED");
        const writer = await store.open("x");
        await rejects(writer.commit({ digest }), "INVALID_ARGUMENT", "UNSUPPORTED");
        await writer.abort();
      }
    },
  },
  {
    name: "a signal that has fired ends reading and opening",
    async run(store) {
      const { digest } = await put(store, "x".repeat(1 << 20));
      const stop = new AbortController();
      const reader = store.read(digest, { signal: stop.signal })[Symbol.asyncIterator]();
      await reader.next();
      stop.abort();
      await rejects(
        (async () => {
          while (!(await reader.next()).done);
        })(),
        "CANCELLED",
      );
      await rejects(store.open("late", { signal: stop.signal }), "CANCELLED");
      assert.deepEqual(await Array.fromAsync(store.ingests()), []);
    },
  },
];
