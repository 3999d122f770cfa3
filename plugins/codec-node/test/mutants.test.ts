import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { digesterSuite, gzipSuite, outcomes, type Suite, zstdSuite } from "@ramekin/conformance";
import { type ByteStream, type Codec, type Digest, type Digester, type Hasher, isRamekinError, RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { nodeDigester, nodeGzip, nodeZstd } from "../src/index.ts";

type Wrong = (right: Codec) => Partial<Codec>;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function all(source: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What it decodes, changed on the way. */
const output =
  (change: (bytes: Buffer) => Uint8Array): Wrong =>
  (right) => ({
    decode: async function* (source, options) {
      yield change(await all(right.decode(source, options)));
    },
  });

/** What it is given, changed on the way. */
const input =
  (change: (bytes: Buffer) => Uint8Array): Wrong =>
  (right) => ({
    decode: async function* (source, options) {
      yield* right.decode(once(change(await all(source))), options);
    },
  });

/** Ends quietly where it should reject. */
const forgiving =
  (code: string, when: (message: string) => boolean = () => true): Wrong =>
  (right) => ({
    decode: async function* (source, options) {
      try {
        yield* right.decode(source, options);
      } catch (error) {
        if (!isRamekinError(error) || error.code !== code || !when(error.message)) throw error;
      }
    },
  });

const withoutSignal: Wrong = (right) => ({ decode: (source, { signal: _, ...options } = {}) => right.decode(source, options) });

/** Cuts trailing zeros off and adds bytes of its own. */
const withoutPadding = (bytes: Buffer): Buffer => {
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
};

const common: Record<string, Wrong> = {
  "one member": output((bytes) => bytes.subarray(1)),
  "a large stream of all kinds of blocks": output((bytes) => bytes.subarray(0, 1 << 20)),
  "chunks of any size, down to one byte": (right) => ({
    decode: async function* (source, options) {
      for await (const chunk of right.decode(source, options)) yield chunk.subarray(0, 32_768);
    },
  }),
  "empty chunks in between": (right) => ({
    decode: (source, options) =>
      right.decode(
        (async function* () {
          for await (const chunk of source) {
            if (chunk.byteLength === 0) return;
            yield chunk;
          }
        })(),
        options,
      ),
  }),
  "concatenated members are one stream": (right) => ({
    decode: async function* (source) {
      yield right.format === "gzip"
        ? gunzipSync(await all(source)).subarray(0, 50_000)
        : zstdDecompressSync(await all(source)).subarray(0, 50_000);
    },
  }),
  "a thousand small members": output((bytes) => bytes.subarray(0, bytes.indexOf("\n") + 1)),
  "members that end where a chunk ends": (right) => ({
    decode: async function* (source, options) {
      for await (const chunk of source) {
        yield* right.decode(once(chunk), options);
        return;
      }
    },
  }),
  "empty content, alone and between others": output((bytes) => (bytes.byteLength === 0 ? Buffer.from("?") : bytes)),
  "zeros behind the last member are padding": input((bytes) => (bytes.at(-1) === 0 ? Buffer.concat([bytes, Buffer.from("x")]) : bytes)),
  "no input is not an empty stream": forgiving("DATA_LOSS", (message) => message.includes("begins") || message.includes("not a")),
  "what is in no such format is corrupt": forgiving("DATA_LOSS", (message) => message.includes("not a")),
  "a stream that is cut off anywhere is corrupt": forgiving("DATA_LOSS"),
  "a second member that is cut off is corrupt": forgiving("DATA_LOSS"),
  "a large stream that is cut off is corrupt": forgiving("DATA_LOSS"),
  "garbage behind the last member is corrupt": forgiving("DATA_LOSS", (message) => message.includes("padding")),
  "garbage behind padding is corrupt, a member there too": forgiving("DATA_LOSS", (message) => message.includes("padding")),
  "a wrong checksum is corrupt": forgiving("DATA_LOSS"),
  "flipped bits are found, wherever they are": forgiving("DATA_LOSS"),
  "a bomb is refused before it goes off": (right) => ({
    decode: async function* (source, { maxOutput, ...options } = {}) {
      let size = 0;
      for await (const chunk of right.decode(source, options)) {
        yield chunk;
        size += chunk.byteLength;
        if (maxOutput !== undefined && size > maxOutput) throw new RamekinError("RESOURCE_EXHAUSTED", "too late");
      }
    },
  }),
  "as much as allowed is not too much": (right) => ({
    decode: (source, { maxOutput, ...options } = {}) =>
      right.decode(source, { ...options, ...(maxOutput !== undefined && { maxOutput: maxOutput - 1 }) }),
  }),
  "a signal ends it, though the source is stuck": (right) => ({
    decode: async function* (source, { signal, ...options } = {}) {
      for await (const chunk of right.decode(source, options)) {
        if (signal?.aborted) throw new RamekinError("CANCELLED", "at last");
        yield chunk;
      }
    },
  }),
  "a signal that has fired before is heard": withoutSignal,
  "the source's own error comes through as it is": (right) => ({
    decode: async function* (source, options) {
      try {
        yield* right.decode(source, options);
      } catch (error) {
        throw new RamekinError("DATA_LOSS", "broken", { cause: error });
      }
    },
  }),
  "the source is closed when the reader leaves, and after an error": (right) => ({
    decode: (source, options) => {
      const iterator = source[Symbol.asyncIterator]();
      return right.decode({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }, options);
    },
  }),
  "no more is taken from the source than the reader needs": (right) => ({
    decode: async function* (source, options) {
      yield* right.decode(once(await all(source)), options);
    },
  }),
  "several streams at once do not mix": (right) => {
    let busy = false;
    return {
      decode: async function* (source, options) {
        const mixed = busy;
        busy = true;
        for await (const chunk of right.decode(source, options)) yield mixed ? chunk.fill(0) : chunk;
        busy = false;
      },
    };
  },
  "its format is known by the first bytes": () => ({ detect: (bytes) => bytes.byteLength > 0 }),
  "what it encodes, others decode, and itself": () => ({ encode: (source) => source }),
  "nothing is encoded as empty content": (right) => ({
    encode: async function* (source, options) {
      const bytes = await all(source);
      if (bytes.byteLength > 0) yield* right.encode?.(once(bytes), options) ?? [];
    },
  }),
  "a level is a trade of size for time": (right) => ({ encode: (source) => right.encode?.(source) ?? source }),
  "reproducible bytes do not depend on the chunks, or are refused": (right) => ({
    encode: async function* (source, { reproducible: _, ...options } = {}) {
      for await (const chunk of source) yield* right.encode?.(once(chunk), options) ?? [];
    },
  }),
  "a signal ends encoding, though the source is stuck": (right) => ({
    encode: (source, { signal: _, ...options } = {}) => right.encode?.(source, options) ?? source,
  }),
  "the source's own error comes through encoding": (right) => ({
    encode: async function* (source, options) {
      try {
        yield* right.encode?.(source, options) ?? [];
      } catch (error) {
        throw new Error("it failed", { cause: error });
      }
    },
  }),
};

const gzip: Record<string, Wrong> = {
  ...common,
  "optional header fields, each and all": (right) => ({
    decode: async function* (source, options) {
      const bytes = await all(source);
      if (bytes[3] !== 0) throw new RamekinError("DATA_LOSS", "no options here");
      yield* right.decode(once(bytes), options);
    },
  }),
  "a large extra field": input((bytes) => bytes.subarray(0, 60_000)),
  "a header with a wrong checksum is corrupt": forgiving("DATA_LOSS"),
  "unknown methods and reserved flags are corrupt": input((bytes) => {
    const tolerant = Buffer.from(bytes);
    tolerant.writeUInt8((bytes[3] ?? 0) & 0x1f, 3);
    return tolerant;
  }),
  "a wrong length in the trailer is corrupt": forgiving("DATA_LOSS", (message) => message.includes("length")),
};

const zstd: Record<string, Wrong> = {
  ...common,
  "skippable frames anywhere are skipped": (right) => ({
    decode: async function* (source, options) {
      const bytes = await all(source);
      if ((bytes[0] ?? 0) >> 4 === 5) throw new RamekinError("DATA_LOSS", "not a frame");
      yield* right.decode(once(bytes), options);
    },
  }),
  "skippable frames alone are an empty stream": output((bytes) => (bytes.byteLength === 0 ? Buffer.from("?") : bytes)),
  "a skippable frame that is cut off is corrupt": forgiving("DATA_LOSS"),
  "frames begin with skippable ones too": () => ({ detect: (bytes) => bytes[0] === 0x28 }),
  "frames with and without checksum, content size and long window": output((bytes) => bytes.subarray(0, 1 << 20)),
  "blocks that repeat one byte, and blocks as they are": output((bytes) =>
    Buffer.from(withoutPadding(bytes).toString().replaceAll("A", "")),
  ),
};

async function fails<T extends object>(suite: Suite<T>, name: string, driver: T): Promise<string | undefined> {
  return (await outcomes(suite, { create: () => driver }, name))[name];
}

for (const [suite, mutants, right] of [
  [gzipSuite, gzip, nodeGzip],
  [zstdSuite, zstd, nodeZstd],
] as const) {
  test(`every case of ${suite.kind} has a mutant`, () => {
    expect(Object.keys(mutants).sort()).toEqual(suite.cases.map(({ name }) => name).sort());
  });
  test.for(Object.entries(mutants))(`a ${suite.kind} gone wrong fails: %s`, { timeout: 60_000 }, async ([name, wrong]) => {
    expect(await fails(suite, name, { ...right, ...wrong(right) })).toBe("failed");
  });
}

/** A digester whose hashers have one thing wrong. */
const hashers =
  (wrong: (right: Hasher, digester: Digester) => Partial<Hasher>) =>
  (right: Digester): Digester => ({
    ...right,
    create: async () => {
      const hasher = await right.create();
      return { ...hasher, ...wrong(hasher, right) };
    },
  });

const digesters: Record<string, (right: Digester) => Digester> = {
  "the examples of the standard": hashers((right) => ({ digest: () => right.digest().replace(/.$/, "0") as Digest })),
  "nothing at all has a digest": hashers((right) => {
    let some = false;
    return {
      update: (chunk) => {
        some = true;
        right.update(chunk);
      },
      digest: () => (some ? right.digest() : ("sha256:" as Digest)),
    };
  }),
  "every length around the block sizes": hashers((right) => ({ update: (chunk) => right.update(chunk.subarray(0, 128)) })),
  "how bytes are cut into chunks does not matter": hashers((right) => ({
    update: (chunk) => right.update(Buffer.concat([chunk, Buffer.from("|")])),
  })),
  "a large message": hashers((right) => ({ update: (chunk) => right.update(chunk.subarray(0, 1 << 20)) })),
  "a chunk is the caller's again after update": hashers((right) => {
    const kept: Uint8Array[] = [];
    return {
      update: (chunk) => void kept.push(chunk),
      digest: () => {
        for (const chunk of kept) right.update(chunk);
        return right.digest();
      },
    };
  }),
  "hashers do not know of each other": (right) => {
    let shared: Hasher | undefined;
    return { ...right, create: async () => (shared ??= await right.create()) };
  },
  "a digest ends its computation, and no other": (right) => {
    const shared: Uint8Array[] = [];
    return {
      ...right,
      create: () => ({
        update: (chunk) => void shared.push(chunk.slice()),
        digest: () => `${right.algorithm}:${Buffer.concat(shared).toString("hex")}` as Digest,
      }),
    };
  },
};

test("every case of the digester suite has a mutant", () => {
  expect(Object.keys(digesters).sort()).toEqual(digesterSuite.cases.map(({ name }) => name).sort());
});
test.for(Object.entries(digesters))("a digester gone wrong fails: %s", async ([name, wrong]) => {
  expect(await fails(digesterSuite, name, wrong(nodeDigester("sha256")))).toBe("failed");
});
