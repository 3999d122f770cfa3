import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { outcomes, transportSuite } from "@ramekin/conformance";
import { type ImageSource, type ImageTarget, isRamekinError, type Transport } from "@ramekin/core";
import { expect, test } from "vitest";
import { type FreshTransport, freshArchive, freshFolder } from "./transports.ts";

type Wrong = (right: FreshTransport) => Partial<Transport>;

const sources =
  (wrong: (right: ImageSource) => Partial<ImageSource>): Wrong =>
  (transport) => ({
    source: async (...args) => {
      const right = await transport.source(...args);
      return { ...right, ...wrong(right) };
    },
  });

const targets =
  (wrong: (right: ImageTarget) => Partial<ImageTarget>): Wrong =>
  (transport) => ({
    target: async (location) => {
      const right = await (transport.target as NonNullable<Transport["target"]>)(location);
      return { ...right, ...wrong(right) };
    },
  });

/** An empty place, where there should be an error. */
const empty: ImageSource = { roots: async () => [], blob: async function* () {}, [Symbol.asyncDispose]: async () => {} };

const forgiving: Wrong = (right) => ({ source: (location, options) => right.source(location, options).catch(() => empty) });

async function* uppercase(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield chunk.map((byte) => (byte === 97 ? 65 : byte));
}

const common: Record<string, Wrong> = {
  "an image goes there and comes back": sources((right) => ({ blob: (...args) => uppercase(right.blob(...args)) })),
  "several images, with one name, with two, with none": sources((right) => ({ roots: async () => (await right.roots()).slice(0, 1) })),
  "a location may end with the name that is wanted": (right) => ({
    source: (location, options) => right.source(typeof location === "string" ? location.replace(/:.*/, "") : location, options),
  }),
  "a location may end with the name that is given": (right) => ({
    target: (location) =>
      (right.target as NonNullable<Transport["target"]>)(typeof location === "string" ? location.replace(/:.*/, "") : location),
  }),
  "blobs can be read from any offset": sources((right) => ({ blob: (descriptor) => right.blob(descriptor) })),
  "a blob that is not there is not found": sources((right) => ({
    blob: async function* (...args) {
      try {
        yield* right.blob(...args);
      } catch (error) {
        if (!isRamekinError(error)) throw error;
      }
    },
  })),
  "nothing shows before the commit, and nothing stays without one": targets(() => ({ [Symbol.asyncDispose]: async () => {} })),
  "a blob that is written twice is read once": targets((right) => ({
    blob: async (descriptor, source, options) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      await right.blob(
        descriptor,
        (async function* () {
          yield* chunks;
        })(),
        options,
      );
    },
  })),
  "other bytes than the descriptor's are refused": targets((right) => ({ blob: (...args) => right.blob(...args).catch(() => {}) })),
  "a root has to be written first": targets((right) => ({ root: (descriptor) => right.root(descriptor).catch(() => {}) })),
  "where nothing is, nothing is found": forgiving,
  "a file of something else is refused": forgiving,
  "a signal ends a blob on its way": targets((right) => ({ blob: (descriptor, source) => right.blob(descriptor, source) })),
  "an index is kept whole, with what it lacks": targets((right) => ({
    root: async (descriptor) => {
      if (!descriptor.mediaType.includes("index")) await right.root(descriptor);
    },
  })),
};

const archives: Record<string, Wrong> = {
  "a commit leaves no temporary file": (transport) => ({
    target: async (location) => {
      const right = await (transport.target as NonNullable<Transport["target"]>)(location);
      if (typeof location === "string") await writeFile(join(dirname(location), ".temporary"), "");
      return right;
    },
  }),
  "a signal that has fired is heard": (right) => ({ source: (location) => right.source(location) }),
  "a stream is as good as a path": (right) => ({
    source: async (location, options) => {
      if (typeof location !== "string") throw new Error("no stream");
      return right.source(location, options);
    },
  }),
  "archives may be compressed, as paths and as streams": (right) => ({
    source: async (location, options) => {
      // A copy of its own, and never removed.
      await writeFile(join(right.root, "spooled"), "");
      return right.source(location, options);
    },
  }),
  "the same images make the same archive": targets((right) => ({
    root: (descriptor) => right.root({ ...descriptor, annotations: { ...descriptor.annotations, made: String(process.hrtime.bigint()) } }),
  })),
  "an archive that is cut off is corrupt, or holds no image": forgiving,
};

const all = { ...common, ...archives };

test("every case has a mutant", () => {
  expect(Object.keys(all).sort()).toEqual(transportSuite.cases.map(({ name }) => name).sort());
});

test.for(Object.entries(all))("an archive gone wrong fails: %s", async ([name, wrong]) => {
  const create = async () => {
    const right = await freshArchive();
    return { ...right, ...wrong(right) };
  };
  expect((await outcomes(transportSuite, { create }, name))[name]).toBe("failed");
});

test.for(Object.entries(common))("a folder gone wrong fails: %s", async ([name, wrong]) => {
  const create = async () => {
    const right = await freshFolder();
    return { ...right, ...wrong(right) };
  };
  expect((await outcomes(transportSuite, { create }, name))[name]).toBe("failed");
});
