import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { cleanPath, IgnoreMatcher, matchPath, type ParentMatches, readIgnoreFile } from "../src/index.ts";

/** What moby's patternmatcher v0.6.1, its ignorefile and Go's filepath.Match make of patterns of ours; null is a refused pattern. */
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "testdata/matches.json"), "utf8")) as {
  readonly filepath: readonly (readonly [string, string, boolean | null])[];
  readonly match: readonly (readonly [readonly string[], string, boolean | null])[];
  readonly ignore: readonly (readonly [string, readonly string[]])[];
};

/** Directory by directory from the top, as one who walks a tree does it. */
function walk(matcher: IgnoreMatcher, path: string): boolean {
  let [above, ignored]: [ParentMatches | undefined, boolean] = [undefined, false];
  const parts = path.split("/");
  for (const index of parts.keys()) ({ ignored, matches: above } = matcher.visit(parts.slice(0, index + 1).join("/"), above));
  return ignored;
}

test("[BLD-20] .dockerignore matches as in Docker, path by path and on a walk", () => {
  expect(recorded.match.length).toBeGreaterThan(250);
  for (const [patterns, path, expected] of recorded.match) {
    if (expected === null) expect(() => new IgnoreMatcher(patterns), patterns.join()).toThrow(RamekinError);
    else {
      const matcher = new IgnoreMatcher(patterns);
      expect([matcher.ignores(path), walk(matcher, path)], JSON.stringify([patterns, path])).toEqual([expected, expected]);
    }
  }
});

test("[BLD-6] wildcards of COPY match as Go's filepath.Match", () => {
  expect(recorded.filepath.length).toBeGreaterThan(200);
  for (const [pattern, path, expected] of recorded.filepath) {
    if (expected === null) expect(() => matchPath(pattern, path), pattern).toThrow(`syntax error in pattern`);
    else expect(matchPath(pattern, path), JSON.stringify([pattern, path])).toBe(expected);
  }
});

test("[BLD-20] a .dockerignore file is read as in Docker", () => {
  for (const [text, patterns] of recorded.ignore) expect(readIgnoreFile(text), JSON.stringify(text)).toEqual(patterns);
  expect(readIgnoreFile("\uFEFF# no\n/a/b/\n! ./c\n  d  \n\n#e\n f#\n")).toEqual(["a/b", "!c", "d", "f#"]);
});

test.each<[string, readonly string[], Readonly<Record<string, boolean>>]>([
  ["a directory takes what is below", ["dir"], { dir: true, "dir/a/b": true, dirx: false, "x/dir": false }],
  ["a slash at the end changes nothing", ["dir/"], { dir: true, "dir/a": true }],
  ["two stars stand for any depth", ["**/*.md"], { "a.md": true, "x/y/a.md": true, "a.mdx": false }],
  ["one star does not take a slash", ["*/*.md"], { "a.md": false, "x/a.md": true, "x/y/a.md": false }],
  ["an exception below what is left out", ["docs", "!docs/README.md"], { "docs/x": true, "docs/README.md": false, docs: true }],
  [
    "the last that matches decides",
    ["*.md", "!README*.md", "README-secret.md"],
    { "a.md": true, "README.md": false, "README-secret.md": true },
  ],
  ["an exception in front of it does nothing", ["!a", "a"], { a: true }],
])("[BLD-20] %s", (_, patterns, expected) => {
  const matcher = new IgnoreMatcher(patterns);
  const told = Object.fromEntries(Object.keys(expected).map((path) => [path, matcher.ignores(path)]));
  expect(told).toEqual(expected);
  expect(Object.fromEntries(Object.keys(expected).map((path) => [path, walk(matcher, path)]))).toEqual(expected);
  expect(matcher.hasExceptions).toBe(patterns.some((pattern) => pattern.startsWith("!")));
});

test("[BLD-20] a lone ! is refused, as in Docker", () => {
  expect(() => new IgnoreMatcher(["!"])).toThrow('illegal exclusion pattern: "!"');
});

test("[BLD-20] patterns made to take long do not", () => {
  const path = `${"a".repeat(2000)}/${"a/".repeat(500)}a`;
  expect(new IgnoreMatcher([`${"*a".repeat(30)}b`, `${"**/a".repeat(30)}c`, "**/*a*a*a*a*a*a*b/**/x"]).ignores(path)).toBe(false);
});

test.each([
  ["/a//b/./c/..", "/a/b"],
  ["../../a", "../../a"],
  ["/..", "/"],
  ["", "."],
  ["a/../..", ".."],
])("[BLD-20] the clean form of %s", (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});
