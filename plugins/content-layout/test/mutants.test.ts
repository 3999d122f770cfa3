import { contentSuite, outcomes } from "@ramekin/conformance";
import { type ContentStore, type ContentWriter, type Digest, type FileStream, type IngestInfo, isRamekinError } from "@ramekin/core";
import { afterAll, expect, test } from "vitest";
import { freshStore, program, removeStores, type TestStore } from "./stores.ts";

afterAll(removeStores);

type Wrong = (right: TestStore) => Partial<ContentStore>;

/** A store whose writers have one thing wrong. */
const writers =
  (wrong: (right: ContentWriter, store: TestStore, ref: string) => Partial<ContentWriter>): Wrong =>
  (store) => ({
    open: async (ref, options) => {
      const right = await store.open(ref, options);
      const changed = wrong(right, store, ref);
      // Not spread: `offset` is a getter.
      return Object.defineProperties(Object.create(right) as ContentWriter, Object.getOwnPropertyDescriptors(changed));
    },
  });

/** Writers that know nothing of what is expected. */
const unexpected: Wrong = (store) => ({ open: (ref) => store.open(ref) });

const swallow =
  (...codes: string[]) =>
  (error: unknown) => {
    if (!isRamekinError(error) || !codes.includes(error.code)) throw error;
  };

/** For each case, by name, one thing done wrong on top of a right store. */
const mutants: Record<string, Wrong> = {
  "a blob shows when it is committed, and not before": writers((right) => ({
    write: async (chunk) => {
      await right.write(chunk);
      await right.commit();
    },
  })),
  "an empty blob is a blob": (right) => ({ stat: async (digest) => ((await right.stat(digest))?.size ? right.stat(digest) : undefined) }),
  "a large blob in uneven chunks comes back byte for byte": (right) => ({
    read: async function* (digest) {
      for await (const chunk of right.read(digest)) yield chunk.byteLength > 1000 ? chunk.fill(0, 999, 1000) : chunk;
    },
  }),
  "a chunk is the caller's again once it is written": writers((right) => {
    const kept: Uint8Array[] = [];
    return {
      write: async (chunk) => void kept.push(chunk),
      commit: async (expected) => {
        for (const chunk of kept) await right.write(chunk);
        return right.commit(expected);
      },
    };
  }),
  "sha512 names blobs as well": (right) => ({
    open: (ref, options) => (options?.expected?.digest?.startsWith("sha512") ? right.open(ref) : right.open(ref, options)),
  }),
  "what is expected may be said as late as at the commit": writers((right) => ({ commit: () => right.commit() })),
  "a wrong digest is refused, and its bytes are dropped": unexpected,
  "too few bytes are refused, and may be followed by more": writers((right) => ({
    commit: async () => {
      try {
        return await right.commit();
      } catch (error) {
        await right.truncate(0);
        throw error;
      }
    },
  })),
  "more bytes than expected are refused as they come": unexpected,
  "more bytes than the commit expects are refused": writers((right) => ({ commit: () => right.commit() })),
  "a blob that is here need not be written": unexpected,
  "committing what is here already is no error": writers((right, store) => ({
    commit: async (expected) => {
      for await (const _ of store.list()) throw new Error("exists");
      return right.commit(expected);
    },
  })),
  "any number of writers may bring the same blob at once": (store) => {
    const committed = new Set<Digest>();
    return writers((right) => ({
      commit: async (expected) => {
        const info = await right.commit(expected);
        if (committed.has(info.digest)) throw new Error("exists");
        committed.add(info.digest);
        return info;
      },
    }))(store);
  },
  "a new writer goes on where the last one closed": writers((right) => ({ close: () => right.abort() })),
  "found bytes that are the wrong ones do not pass": writers((right) => {
    const found = right.offset;
    return {
      commit: async (expected) => {
        if (found === 0) return right.commit(expected);
        return right.commit(expected).catch(async () => ({ digest: "sha256:" as Digest, size: found, createdAt: new Date() }));
      },
    };
  }),
  "cutting back to nothing starts again": writers(() => ({ truncate: async () => {} })),
  "cutting back keeps what is before, and cannot add": writers((right) => ({
    truncate: (size) => right.truncate(Math.min(Math.max(size, 0), right.offset)),
  })),
  "one writer per ref": (right) => {
    let count = 0;
    return { open: async (ref, options) => right.open(`${ref} ${count++}`, options) };
  },
  "of many who want a ref at once, one gets it": (right) => {
    let count = 0;
    return { open: async (ref, options) => right.open(ref, options).catch(() => right.open(`${ref} ${count++}`)) };
  },
  "abort drops the bytes and lets go of the ref": writers((right) => ({ abort: () => right.close() })),
  "close, abort and disposal after the end do nothing": writers((right, store, ref) => ({
    abort: async () => {
      await right.abort();
      const other = await store.open(ref);
      await other.abort();
    },
  })),
  "disposal keeps the bytes": writers((right) => ({ [Symbol.asyncDispose]: () => right.abort() })),
  "unfinished ingestions are listed, for whoever cleans up": (right) => ({
    ingests: async function* (): AsyncIterable<IngestInfo> {
      for await (const info of right.ingests()) yield { ...info, offset: 0 };
    },
  }),
  "a ref may be any text": (right) => ({ open: (ref, options) => right.open(ref.slice(0, 255), options) }),
  "an unknown blob has no stat and no bytes": (right) => ({
    read: async function* (digest, options) {
      if (await right.stat(digest)) yield* right.read(digest, options);
    },
  }),
  "any range of a blob can be read": (right) => ({ read: (digest, { length: _, ...options } = {}) => right.read(digest, options) }),
  "a stream that says that it is a file is all of that file": (right) => ({
    read: (digest, options) => {
      const { wholeFile } = right.read(digest) as FileStream;
      return Object.assign(right.read(digest, options), { wholeFile });
    },
  }),
  "an offset beyond the end is an error": (right) => ({
    read: async function* (digest, options) {
      try {
        yield* right.read(digest, options);
      } catch (error) {
        swallow("INVALID_ARGUMENT")(error);
      }
    },
  }),
  "chunks stay what they were while reading goes on": (right) => ({
    read: async function* (digest, options) {
      const buffer = new Uint8Array(1 << 20);
      for await (const chunk of right.read(digest, options)) {
        buffer.set(chunk);
        yield buffer.subarray(0, chunk.byteLength);
      }
    },
  }),
  "list gives every blob once": (right) => ({
    list: async function* () {
      yield* right.list();
      yield* right.list();
    },
  }),
  "a deleted blob is gone, and can come again": () => ({ delete: async () => {} }),
  "deleting what is not there is a no-op": (right) => ({
    delete: async (digest) => {
      if (!(await right.stat(digest))) throw new Error("not there");
      await right.delete(digest);
    },
  }),
  "what is no digest names nothing": (right) => ({ stat: async (digest) => right.stat(digest).catch(() => undefined) }),
  "a signal that has fired ends reading and opening": (right) => ({
    read: (digest, { signal: _, ...options } = {}) => right.read(digest, options),
  }),
};

/** For cases with several instances: a store that is wrong in all of them, or another process that is. */
const elsewhere: Record<string, Parameters<typeof outcomes<TestStore>>[1]> = {
  "a store that is opened again has its blobs and ingestions": { create: () => freshStore(), reopen: () => freshStore() },
  "a ref is held against other processes, until its holder dies": {
    create: () => freshStore(),
    program: ({ root }) => program(root, "lockless"),
  },
  "killed at any moment, a blob is absent or whole": { create: () => freshStore(), program: ({ root }) => program(root, "careless") },
};

test("every case has a mutant", () => {
  const names = contentSuite.cases.map(({ name }) => name).sort();
  expect([...Object.keys(mutants), ...Object.keys(elsewhere)].sort()).toEqual(names);
});

test.for(Object.entries(mutants))("a store gone wrong fails: %s", async ([name, wrong]) => {
  const create = async (): Promise<TestStore> => {
    const store = await freshStore();
    return { ...store, ...wrong(store) };
  };
  expect((await outcomes(contentSuite, { create }, name))[name]).toBe("failed");
});

test.for(Object.entries(elsewhere))("a store gone wrong elsewhere fails: %s", { timeout: 120_000 }, async ([name, options]) => {
  expect((await outcomes(contentSuite, options, name))[name]).toBe("failed");
});

test("what a store lacks is skipped, with the reason", async () => {
  const name = "killed at any moment, a blob is absent or whole";
  expect((await outcomes(contentSuite, { create: () => freshStore() }, name))[name]).toBe("skipped: needs program");
});
