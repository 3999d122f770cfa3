import { type ByteStream, type Descriptor, isRamekinError, type Reference, type RegistryClient } from "@ramekin/core";
import { expect, test } from "vitest";
import { outcomes, registrySuite } from "../src/index.ts";
import { memoryRegistry } from "./memory-registry.ts";

const home = { registry: "registry.example", repository: "suite" };

async function* altered(stream: ByteStream, alter: (bytes: Uint8Array) => Uint8Array): ByteStream {
  for await (const chunk of stream) yield alter(chunk);
}

const forgiving = async (promise: Promise<void>) => {
  await promise.catch((error) => {
    if (!isRamekinError(error)) throw error;
  });
};

/** For each case, by name, one thing done wrong on top of a right client. */
const mutants: Record<string, (right: RegistryClient) => Partial<RegistryClient>> = {
  "a tag resolves to the manifest that it was given to": (right) => ({
    resolve: async (reference, options) => ({ ...(await right.resolve(reference, options)), size: 1 }),
  }),
  "a digest resolves to itself, tagged or not": (right) => {
    const tagged = new Set<string>();
    return {
      tag: async (reference, descriptor) => {
        tagged.add(descriptor.digest);
        await right.tag(reference, descriptor);
      },
      resolve: async (reference) =>
        right.resolve(reference.digest && !tagged.has(reference.digest) ? { ...reference, digest: "sha256:0" } : reference),
    };
  },
  "an unknown tag, digest or repository is not found": (right) => ({
    resolve: async (reference) =>
      right.resolve(reference).catch(() => ({ mediaType: "application/json", digest: "sha256:0", size: 0 }) satisfies Descriptor),
  }),
  "an index stays whole": (right) => ({
    resolve: async (reference) => ({ ...(await right.resolve(reference)), mediaType: "application/vnd.oci.image.manifest.v1+json" }),
  }),
  "what was pushed is fetched, byte for byte": (right) => ({
    fetch: (...args) => altered(right.fetch(...args), (bytes) => bytes.subarray(1)),
  }),
  "fetch goes on from an offset": (right) => ({
    fetch: (reference, descriptor, options) => right.fetch(reference, descriptor, { ...options, offset: 0 }),
  }),
  "an offset beyond the end is invalid": (right) => ({
    fetch: (reference, descriptor, { offset = 0 } = {}) =>
      right.fetch(reference, descriptor, { offset: Math.min(offset, descriptor.size) }),
  }),
  "what is not there cannot be fetched": (right) => ({
    async *fetch(reference, descriptor, options) {
      if (await right.exists(reference, descriptor)) yield* right.fetch(reference, descriptor, options);
    },
  }),
  "a fetch that is broken off leaves the client usable": (right) => {
    let broken = false;
    return {
      async *fetch(...args) {
        let ended = broken;
        try {
          if (!broken) yield* right.fetch(...args);
          ended = true;
        } finally {
          broken = !ended;
        }
      },
    };
  },
  "fetches at the same time do not mix": (right) => {
    let last: Descriptor | undefined;
    return {
      async *fetch(reference, descriptor) {
        last = descriptor;
        await Promise.resolve();
        yield* right.fetch(reference, last);
      },
    };
  },
  "exists tells what is there from what is not": () => ({ exists: async () => true }),
  "repositories are apart": (right) => {
    const everywhere = (reference: Reference): Reference => ({ ...reference, repository: "one" });
    return {
      exists: (reference, descriptor) => right.exists(everywhere(reference), descriptor),
      push: (reference, descriptor, source) => right.push(everywhere(reference), descriptor, source),
    };
  },
  "a push of what exists reads no byte": (right) => ({
    push: async (reference, descriptor, source) => {
      for await (const _ of source(0));
      await right.push(reference, descriptor, source);
    },
  }),
  "a push of other bytes than described fails and leaves nothing": (right) => ({
    push: (reference, descriptor, source) => forgiving(right.push(reference, descriptor, source)),
  }),
  "a mount takes the blob from another repository": (right) => ({
    push: (reference, descriptor, source) => right.push(reference, descriptor, source),
  }),
  "a mount that fails turns into an upload": (right) => ({
    push: async (reference, descriptor, source, { mountFrom } = {}) => {
      if (mountFrom === undefined) await right.push(reference, descriptor, source);
    },
  }),
  "a tag moves, and what it left stays": (right) => {
    const tagged = new Set<string | undefined>();
    return {
      tag: async (reference, descriptor) => {
        if (!tagged.has(reference.tag)) await right.tag(reference, descriptor);
        tagged.add(reference.tag);
      },
    };
  },
  "tagging needs a tag": (right) => ({
    tag: (reference, descriptor) => right.tag({ ...reference, tag: reference.tag ?? "latest" }, descriptor),
  }),
  "tags lists each tag once": (right) => ({
    async *tags(reference) {
      for await (const tag of right.tags?.(reference) ?? []) yield* [tag, tag];
    },
  }),
  "referrers are what was pushed about a manifest, of one type when asked": (right) => ({
    referrers: (reference, descriptor) => right.referrers?.(reference, descriptor) ?? ReadableStream.from([]),
  }),
  "what was deleted is gone": () => ({ delete: async () => undefined }),
  "what was cancelled before it began does not begin": (right) => ({
    push: (reference, descriptor, source) => right.push(reference, descriptor, source),
  }),
  "a fetch ends when it is cancelled": (right) => ({ fetch: (reference, descriptor) => right.fetch(reference, descriptor) }),
};

const right = await outcomes(registrySuite, { create: () => ({ ...memoryRegistry(), home }) });

test("the trivial registry passes every case, and every case has a mutant", () => {
  expect(right).toEqual(Object.fromEntries(Object.keys(mutants).map((name) => [name, "passed"])));
});

test.for(Object.entries(mutants))("a registry gone wrong fails: %s", async ([name, wrong]) => {
  const create = () => {
    const client = memoryRegistry();
    return { ...client, ...wrong(client), home };
  };
  expect((await outcomes(registrySuite, { create }, name))[name]).toBe("failed");
});
