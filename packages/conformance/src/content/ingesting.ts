import assert from "node:assert/strict";
import type { ContentStore } from "@ramekin/core";
import { collect, rejects, sameBytes, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { blob, offsetOf, put } from "./blob.ts";
import { elsewhere } from "./process.ts";

/** Refs: who holds one, what outlives its writer, its process, its machine. */
export const ingesting: readonly Case<ContentStore>[] = [
  {
    name: "a new writer goes on where the last one closed",
    async run(store) {
      const { digest, size, bytes } = blob("hello world");
      const first = await store.open("resumed", { expected: { digest, size } });
      await first.write(bytes.subarray(0, 5));
      await first.close();
      const second = await store.open("resumed", { expected: { digest, size } });
      assert.equal(second.offset, 5);
      await second.write(bytes.subarray(5));
      assert.equal((await second.commit()).digest, digest);
      sameBytes(await collect(store.read(digest)), bytes);
      assert.equal(await offsetOf(store, "resumed"), 0);
    },
  },
  {
    name: "found bytes that are the wrong ones do not pass",
    async run(store) {
      const { digest, size } = blob("hello world");
      const first = await store.open("stale");
      await first.write(utf8("HELLO"));
      await first.close();
      const second = await store.open("stale", { expected: { digest, size } });
      await second.write(utf8(" world"));
      await rejects(second.commit(), "DATA_LOSS");
      await second.close();
      assert.equal(await store.stat(digest), undefined);
    },
  },
  {
    name: "cutting back to nothing starts again",
    async run(store) {
      const { digest, bytes } = blob("right");
      const first = await store.open("cut");
      await first.write(utf8("wrong, and longer"));
      await first.close();
      const second = await store.open("cut", { expected: { digest } });
      await second.truncate(0);
      assert.equal(second.offset, 0);
      await second.write(bytes);
      assert.equal((await second.commit()).size, bytes.byteLength);
    },
  },
  {
    name: "cutting back keeps what is before, and cannot add",
    async run(store) {
      const { digest } = blob("hello world");
      const writer = await store.open("cut", { expected: { digest } });
      await writer.write(utf8("hello there"));
      await rejects(writer.truncate(12), "INVALID_ARGUMENT");
      await rejects(writer.truncate(-1), "INVALID_ARGUMENT");
      await writer.truncate(6);
      await writer.write(utf8("world"));
      assert.equal((await writer.commit()).digest, digest);
    },
  },
  {
    name: "one writer per ref",
    async run(store) {
      const first = await store.open("held");
      await rejects(store.open("held"), "UNAVAILABLE");
      const other = await store.open("free");
      await other.abort();
      await first.close();
      const second = await store.open("held");
      await second.abort();
    },
  },
  {
    name: "of many who want a ref at once, one gets it",
    async run(store) {
      const tries = await Promise.allSettled(Array.from({ length: 10 }, () => store.open("wanted")));
      const got = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      assert.equal(got.length, 1);
      for (const result of tries) if (result.status === "rejected") await rejects(Promise.reject(result.reason), "UNAVAILABLE");
      await got[0]?.abort();
    },
  },
  {
    name: "abort drops the bytes and lets go of the ref",
    async run(store) {
      const writer = await store.open("dropped");
      await writer.write(utf8("bytes"));
      await writer.abort();
      assert.deepEqual(await Array.fromAsync(store.ingests()), []);
      assert.equal(await offsetOf(store, "dropped"), 0);
    },
  },
  {
    name: "close, abort and disposal after the end do nothing",
    async run(store) {
      const { digest, bytes } = blob("done");
      const writer = await store.open("done");
      await writer.write(bytes);
      await writer.commit();
      await writer.close();
      await writer.abort();
      await writer[Symbol.asyncDispose]();
      assert.ok(await store.stat(digest));
      const dropped = await store.open("done");
      await dropped.abort();
      // Somebody else's by now: not to be touched.
      const other = await store.open("done");
      await other.write(utf8("x"));
      await dropped.close();
      await dropped.abort();
      await other.close();
      assert.equal(await offsetOf(store, "done"), 1);
    },
  },
  {
    name: "disposal keeps the bytes",
    async run(store) {
      {
        await using writer = await store.open("kept");
        await writer.write(utf8("kept"));
      }
      assert.equal(await offsetOf(store, "kept"), 4);
    },
  },
  {
    name: "unfinished ingestions are listed, for whoever cleans up",
    async run(store) {
      const before = Date.now() - 60_000;
      await put(store, "finished");
      const writer = await store.open("layer-sha256:abc");
      await writer.write(utf8("12345"));
      await writer.close();
      const found = await Array.fromAsync(store.ingests());
      assert.deepEqual(
        found.map(({ ref, offset }) => [ref, offset]),
        [["layer-sha256:abc", 5]],
      );
      assert.ok((found[0]?.updatedAt.getTime() ?? 0) > before);
      const stale = await store.open("layer-sha256:abc");
      await stale.abort();
      assert.deepEqual(await Array.fromAsync(store.ingests()), []);
    },
  },
  {
    name: "a ref may be any text",
    async run(store) {
      const refs = ["a/b", "../../x", "", ".", "\u00e4\n\u0001", `${"long".repeat(2000)}`, "a:b@c"];
      for (const [index, ref] of refs.entries()) {
        const writer = await store.open(ref);
        await writer.write(utf8("x".repeat(index)));
        await writer.close();
      }
      const found = await Array.fromAsync(store.ingests());
      assert.deepEqual(new Map(found.map(({ ref, offset }) => [ref, offset])), new Map(refs.map((ref, index) => [ref, index])));
    },
  },
  {
    name: "a store that is opened again has its blobs and ingestions",
    needs: ["reopen"],
    async run(store, { reopen }) {
      const { digest, bytes } = await put(store, "durable");
      const writer = await store.open("unfinished");
      await writer.write(utf8("unf"));
      await writer.close();
      const next = await reopen();
      sameBytes(await collect(next.read(digest)), bytes);
      assert.equal(await offsetOf(next, "unfinished"), 3);
    },
  },
  {
    name: "a ref is held against other processes, until its holder dies",
    needs: ["program"],
    async run(store, { program }) {
      await using other = elsewhere(program(), { ref: "shared", text: ["12345"], hold: true });
      assert.equal(await other.outcome, "done");
      await rejects(store.open("shared"), "UNAVAILABLE");
      await other.kill();
      const mine = await store.open("shared");
      assert.equal(mine.offset, 5);
      await using late = elsewhere(program(), { ref: "shared", text: [] });
      assert.equal(await late.outcome, "UNAVAILABLE");
      await mine.abort();
    },
  },
  {
    name: "killed at any moment, a blob is absent or whole",
    needs: ["program"],
    async run(store, { program }) {
      let step = 1;
      // Four victims at a time: a process takes longer to start than to die.
      for (let outcomes = ["killed"]; outcomes.includes("killed"); step += 4) {
        assert.ok(step < 200, "it never finishes");
        // All of them end before one's failure ends the case, and its store with it.
        const victims = await Promise.allSettled([0, 1, 2, 3].map((more) => dieAt(step + more, store, program())));
        outcomes = await Promise.all(victims.map((each) => (each.status === "fulfilled" ? each.value : Promise.reject(each.reason))));
        assert.deepEqual(
          outcomes.filter((outcome) => !["killed", "done"].includes(outcome)),
          [],
        );
      }
      // A store that changed nothing on the way would have nowhere to die.
      assert.ok(step > 5, "it did not die");
    },
  },
];

/** Another process brings a blob and dies before its nth change; then the next one pulls it again. */
async function dieAt(step: number, store: ContentStore, program: readonly [string, ...string[]]): Promise<string> {
  const { digest, bytes, size } = blob(`first second ${step}`);
  const ref = `crash ${step}`;
  await using victim = elsewhere(program, { ref, text: ["first ", `second ${step}`], expected: { digest, size }, dieBefore: step });
  const outcome = await victim.outcome;
  if (!(await store.stat(digest))) {
    const writer = await store.open(ref, { expected: { digest, size } });
    await writer.write(bytes.subarray(writer.offset));
    await writer.commit();
  }
  sameBytes(await collect(store.read(digest)), bytes);
  return outcome;
}
