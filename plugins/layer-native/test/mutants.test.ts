import { appendFile, chmod, lchown, link, mkdir, readdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LayersUnderTest, layerSuite, outcomes } from "@ramekin/conformance";
import { type ByteStream, type DiffID, type Digest, isRamekinError, type Mount } from "@ramekin/core";
import { describe, expect, test } from "vitest";
import { cannotApply, nativeLayers } from "./layers.ts";
import { naiveApplier } from "./naive.ts";

type Wrong = (right: LayersUnderTest) => Partial<LayersUnderTest>;

const rootOf = (mounts: readonly Mount[]): string => mounts[0]?.source ?? "";

/** Right, and then one thing spoiled in the tree. */
const spoiled =
  (spoil: (root: string) => Promise<unknown>): Wrong =>
  (right) => ({
    apply: async (mounts, ...rest) => {
      const result = await right.apply(mounts, ...rest);
      await spoil(rootOf(mounts)).catch(() => {});
      return result;
    },
  });

/** Right, and then something there that should not be. */
const leftBehind = (...path: readonly string[]): Wrong =>
  spoiled(async (root) => {
    await mkdir(join(root, ...path.slice(0, -1)), { recursive: true });
    await writeFile(join(root, ...path), "still here");
  });

const without = (name: string): Wrong => spoiled((root) => rm(join(root, name), { recursive: true }));

/** Resolves where it should reject. */
const forgiving =
  (...codes: readonly string[]): Wrong =>
  (right) => ({
    apply: (...args) =>
      right.apply(...args).catch((error: unknown) => {
        if (codes.length > 0 && !(isRamekinError(error) && codes.includes(error.code))) throw error;
        return { diffID: "sha256:" as Digest as DiffID, size: 0 };
      }),
  });

async function all(source: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Another tar than was given; the descriptor no longer counts. */
const rewritten =
  (change: (bytes: Buffer) => Uint8Array): Wrong =>
  (right) => ({
    apply: async (mounts, source, descriptor, options) => {
      const bytes = change(await all(source));
      const digest = `sha256:${(await import("node:crypto")).createHash("sha256").update(bytes).digest("hex")}` as Digest;
      return right.apply(mounts, once(bytes), { ...descriptor, digest, size: bytes.byteLength }, options);
    },
  });

const diffing =
  (change: (bytes: Buffer) => Uint8Array): Wrong =>
  (right) => ({
    diff: async function* (...args) {
      yield change(await all(right.diff?.(...args) ?? once(new Uint8Array(0))));
    },
  });

/** A differ that does not look at what is below. */
const everythingIsNew: Wrong = (right) => ({
  diff: async function* (_, upper, options) {
    const { mounts } = await right.scratch();
    yield* right.diff?.(mounts, upper, options) ?? [];
  },
});

const nothingIsNew: Wrong = (right) => ({ diff: (lower, _, options) => right.diff?.(lower, lower, options) ?? once(new Uint8Array(0)) });

const content: Record<string, Wrong> = {
  "files, folders and links arrive as they were": spoiled((root) => chmod(join(root, "etc/hosts"), 0o644)),
  "gzip and zstd layers have the diff id of their content": (right) => ({
    apply: async (mounts, source, descriptor, options) => ({
      ...(await right.apply(mounts, source, descriptor, options)),
      diffID: descriptor.digest as DiffID,
    }),
  }),
  "an empty layer changes nothing": spoiled(async (root) => {
    if ((await readdir(root)).includes("kept")) await writeFile(join(root, "new"), "");
  }),
  "padding behind the end belongs to the diff id": rewritten((bytes) => bytes.subarray(0, 2048)),
  "folders that no entry makes are made": spoiled((root) => chmod(join(root, "a/b"), 0o700)),
  "names with a dot, a slash or two in front mean the same": without("c"),
  "an entry for the root sets the root's attributes": spoiled((root) => chmod(root, 0o755)),
  "long names and long targets": without("link"),
  "GNU's long names and long targets": spoiled(async (root) => rename(join(root, "n".repeat(200)), join(root, "n".repeat(100)))),
  "names are bytes: spaces, line breaks, and what is no text": spoiled((root) => rename(join(root, " a b "), join(root, "a b"))),
  "hard links across folders share their file": spoiled(async (root) => {
    await rm(join(root, "d"));
    await writeFile(join(root, "d"), "shared");
  }),
  "a hard link to a file of a lower layer": spoiled(async (root) => {
    await rm(join(root, "high"));
    await writeFile(join(root, "high"), "low");
  }),
  "a hard link to a symbolic link is that link": without("second"),
  "symbolic links are kept as they are, wherever they lead": spoiled(async (root) => {
    await rm(join(root, "link3"));
    await symlink("b", join(root, "link3"));
  }),
  "set-user-id, set-group-id and sticky bits stay": spoiled((root) => chmod(join(root, "tmp"), 0o777)),
  "owners, large ones too": spoiled((root) => lchown(join(root, "c"), 0, 0)),
  "times before 1970, and between two seconds": spoiled((root) => utimes(join(root, "old"), 0, 0)),
  "devices and pipes": without("pipe"),
  "extended attributes and file capabilities": spoiled(async (root) => {
    // Written anew, without them.
    await rm(join(root, "ping"));
    await writeFile(join(root, "ping"), "x", { mode: 0o755 });
  }),
  "sparse files, as GNU tar writes them": spoiled((root) => truncate(join(root, "one"), 100_004)),
};

const changes: Record<string, Wrong> = {
  "a whiteout takes a file away, and leaves no trace of itself": leftBehind("a", ".wh.gone"),
  "a whiteout takes a folder away with all that is in it": leftBehind("gone", "b", "c"),
  "a whiteout takes a link away, and not what it leads to": without("a/file"),
  "a whiteout of nothing is nothing": leftBehind(".wh.absent"),
  "a whiteout hides what is below, not what its own layer brings": without("after/new"),
  "an opaque folder hides all that was in it": leftBehind("d", "sub", "old"),
  "an opaque mark behind its siblings keeps them": without("d/s/new"),
  "other marks of AUFS are no files": leftBehind(".wh..wh.plnk", "1.2"),
  "a folder that is listed again keeps its children and takes new attributes": spoiled((root) => chmod(join(root, "d"), 0o755)),
  "a new file takes the place of an old one, and not of its other names": spoiled(async (root) => {
    await rm(join(root, "b"));
    await link(join(root, "a"), join(root, "b"));
  }),
  "anything may take the place of anything": without("target/kept"),
  "of two entries with one name the later counts": spoiled((root) => writeFile(join(root, "a"), "first")),
  "a link of a lower layer is followed inside the root": spoiled(async (root) => {
    if (!(await stat(join(root, "usr/lib/a")))) return;
    await rm(join(root, "lib"));
    await mkdir(join(root, "lib"));
  }),
};

const broken: Record<string, Wrong> = {
  "loops of links end": (right) => ({
    apply: (...args) =>
      right.apply(...args).finally(() => {
        throw new Error("too many levels");
      }),
  }),
  "a layer that is cut off is corrupt": forgiving("DATA_LOSS"),
  "a tar that ends in the middle of a file is corrupt, though its digest is right": forgiving("DATA_LOSS"),
  "another digest or size than the descriptor's is corrupt": rewritten((bytes) => bytes),
  "what is no tar is corrupt": forgiving("DATA_LOSS"),
  "a header with a wrong checksum is corrupt": forgiving("DATA_LOSS"),
  "impossible sizes are corrupt": forgiving("DATA_LOSS", "RESOURCE_EXHAUSTED"),
  "malformed PAX headers are corrupt": forgiving("DATA_LOSS", "INVALID_ARGUMENT"),
  "more bytes than the limit are refused": (right) => ({ apply: (mounts, source, descriptor) => right.apply(mounts, source, descriptor) }),
  "more entries than the limit are refused": (right) => ({
    apply: (mounts, source, descriptor, { limits, ...rest } = {}) =>
      right.apply(mounts, source, descriptor, {
        ...rest,
        ...(limits?.entries !== undefined && { limits: { entries: limits.entries - 1 } }),
      }),
  }),
  "what is compressed in a way that nobody knows is unsupported": (right) => ({
    apply: (mounts, source, { digest, size }, options) =>
      right.apply(mounts, source, { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size }, options),
  }),
  "a signal ends it": (right) => ({ apply: (mounts, source, descriptor) => right.apply(mounts, source, descriptor) }),
  "the source's own error comes through": (right) => ({
    apply: (...args) =>
      right.apply(...args).catch((error: unknown) => {
        throw new Error("it failed", { cause: error });
      }),
  }),
};

const differences: Record<string, Wrong> = {
  "equal trees have no difference": everythingIsNew,
  "everything is new over nothing": nothingIsNew,
  "what was added, changed and taken away, and nothing else": everythingIsNew,
  "a folder taken away is one whiteout": nothingIsNew,
  "another mode is a change": nothingIsNew,
  "other bytes of the same length are a change": nothingIsNew,
  "hard links stay hard links": nothingIsNew,
  "the same trees make the same bytes, whatever order they were made in": (right) => {
    let count = 0;
    return diffing((bytes) => Buffer.concat([bytes, Buffer.from(String(count++))]))(right);
  },
  "applying the difference gives the other tree": everythingIsNew,
  "neither tree is altered": (right) => ({
    diff: async function* (lower, upper, options) {
      yield* right.diff?.(lower, upper, options) ?? [];
      await appendFile(join(rootOf(lower), "etc/hosts"), "!");
    },
  }),
  "a signal ends the stream": (right) => ({ diff: (lower, upper) => right.diff?.(lower, upper) ?? once(new Uint8Array(0)) }),
  "a large tree goes there and back": diffing((bytes) => Buffer.concat([bytes.subarray(0, 512 * 200), new Uint8Array(1024)])),
};

const mutants = { ...content, ...changes, ...broken, ...differences };
const attacks = layerSuite.cases.map(({ name }) => name).filter((name) => name.startsWith("no way out: "));

const reason = cannotApply() ?? (process.geteuid?.() === 0 ? undefined : "owners and devices need root");
describe.skipIf(reason !== undefined)(reason === undefined ? "layers gone wrong" : `layers gone wrong: ${reason}`, () => {
  test("every case has a mutant", () => {
    expect([...Object.keys(mutants), ...attacks].sort()).toEqual(layerSuite.cases.map(({ name }) => name).sort());
  });

  test.for(Object.entries(mutants))("fails: %s", async ([name, wrong]) => {
    const create = async () => {
      const right = await nativeLayers();
      return { ...right, ...wrong(right) };
    };
    expect((await outcomes(layerSuite, { create }, name))[name]).toBe("failed");
  });

  test.for(attacks)("succeeds against a naive applier: %s", async (name) => {
    const create = async () => ({ ...(await nativeLayers()), ...naiveApplier });
    expect((await outcomes(layerSuite, { create }, name))[name]).toBe("failed");
  });
});
