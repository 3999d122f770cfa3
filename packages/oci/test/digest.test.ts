import { expect, test } from "vitest";
import { blobPath, chainIDs, digestAlgorithm, digestHex, isDigest, parseDigest } from "../src/index.ts";
import { nodeDigester } from "./digester.ts";

const hex = "0123456789abcdef".repeat(4);

test("a digest has an algorithm and hexadecimal digits", () => {
  const digest = parseDigest(`sha256:${hex}`);
  expect([digestAlgorithm(digest), digestHex(digest), blobPath(digest)]).toEqual(["sha256", hex, `blobs/sha256/${hex}`]);
  expect(isDigest(`sha512:${hex}${hex}`)).toBe(true);
});

// CVE-2024-3727: digests become file names.
test.for([
  "",
  "sha256:",
  hex,
  `sha256:${hex}0`,
  `sha256:${hex.toUpperCase()}`,
  `sha256:${hex} `,
  `sha256:${hex}\n`,
  `sha256:../../../../etc/passwd`,
  `../sha256:${hex}`,
  `sha256/${hex}`,
  `sha512:${hex}`,
  `__proto__:${hex}`,
  `constructor:${hex}`,
  `sha256:${hex.slice(1)}/`,
])("%j is none", (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow();
  expect(() => blobPath(text as never)).toThrow();
});

test("an algorithm that we do not have is unsupported, not invalid", () => {
  expect(() => parseDigest(`sha384:${"a".repeat(96)}`)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
});

test("what is no string is no digest", () => {
  expect([undefined, null, 1, {}, [`sha256:${hex}`]].some(isDigest)).toBe(false);
});

test("chain ids follow config.md: the diff id, then the digest of both", async () => {
  const [a, b, c] = ["a", "b", "c"].map((letter) => `sha256:${letter.repeat(64)}`) as never[];
  const sha256 = await nodeDigester("sha256");
  const join = async (below: string, id: string) => {
    const hasher = await sha256.create();
    hasher.update(Buffer.from(`${below} ${id}`));
    return hasher.digest();
  };
  const ab = await join(a!, b!);
  expect(await chainIDs([a!, b!, c!], sha256)).toEqual([a, ab, await join(ab, c!)]);
  expect(await chainIDs([], sha256)).toEqual([]);
});
