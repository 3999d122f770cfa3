import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isRamekinError, type RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { checkDockerfile, DockerfileError, foreignFrontend, IgnoreMatcher, parseDockerfile, readIgnoreFile } from "../src/index.ts";
import { instructionsOf, piecesOf } from "./describe.ts";

const testdata = join(import.meta.dirname, "testdata");
const corpus = ["golden", "real"].flatMap((folder) =>
  readdirSync(join(testdata, folder))
    .filter((name) => name.endsWith(".Dockerfile"))
    .map((name) => readFileSync(join(testdata, folder, name), "utf8")),
);
const pieces = [
  ..."\\`'\"$${}[]<>=,#!*?/:%-+ \t\n\r\0".split(""),
  ...[
    "\r\n",
    "\\\n",
    "`\n",
    "<<EOF",
    "\nEOF\n",
    "${x:-",
    "${x##",
    "--mount=type=",
    "--from=",
    "FROM ",
    "\nFROM a\n",
    "\nARG x=",
    "\nONBUILD ",
    " AS b",
  ],
  ...[
    "\uFEFF",
    "\u2028",
    "é",
    "😀",
    "\ud800",
    "# escape=`\n",
    "# check=",
    '["a',
    "CMD ",
    "HEALTHCHECK ",
    "EXPOSE 1-",
    "COPY ",
    "a".repeat(300),
  ],
];

/** The same numbers in 0…1 for the same seed, so that what fails once fails again (Numerical Recipes' linear congruence). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Files of ours with bits taken out, put in, doubled and swapped. */
function mutated(random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  let text = corpus[below(corpus.length)] as string;
  for (let count = 1 + below(8); count > 0; count--) {
    const at = below(text.length + 1);
    const until = at + below(12);
    const bits = [pieces[below(pieces.length)] as string, "", text.slice(at, until).repeat(2), text.slice(until, until + 40)];
    text = text.slice(0, at) + bits[below(bits.length)] + text.slice(random() < 0.5 ? at : until);
  }
  return text;
}

/** Every error of a file has its place in it, or is about the request. */
function checkPlaces(error: RamekinError, text: string): void {
  for (const each of error.errors.length > 0 ? error.errors : [error]) {
    expect(each.code, text).toBe("INVALID_ARGUMENT");
    expect(each, text).toBeInstanceOf(DockerfileError);
    if (!(each instanceof DockerfileError)) continue;
    const { start, end } = each.range;
    expect(each.reason, text).not.toBe("");
    expect(
      start.line >= 1 && start.column >= 1 && start.offset <= end.offset && end.offset <= text.length,
      `${each.message}\n${text}`,
    ).toBe(true);
    expect(each.message, text).toContain(`:${start.line}:${start.column}: ${each.reason}`);
  }
}

test("[BLD-1] whatever a file says: no crash, no hang, and every error has its place", () => {
  const random = seeded(20261123);
  const platform = { os: "linux", architecture: "amd64" };
  const until = performance.now() + 2000; // a slow machine tries less, none tries longer
  let [files, read, refused] = [0, 0, 0];
  for (; files < 3000 && (files < 200 || performance.now() < until); files++) {
    const text = mutated(random);
    foreignFrontend(text);
    try {
      const file = parseDockerfile(text);
      read += 1;
      for (const { range } of piecesOf(instructionsOf(file))) {
        expect(range.start.offset <= range.end.offset && range.end.offset <= file.source.text.length, text).toBe(true);
      }
      const ignore = new IgnoreMatcher(readIgnoreFile("a*\n!b"));
      const { error } = checkDockerfile(file, { platforms: { target: platform, build: platform }, ignore });
      if (error) checkPlaces(error, text);
    } catch (error) {
      if (!isRamekinError(error)) throw new Error(`not told as an error of the file: ${JSON.stringify(text)}`, { cause: error });
      refused += 1;
      checkPlaces(error, text);
    }
  }
  // Both ways were gone.
  expect(read).toBeGreaterThan(files / 20);
  expect(refused).toBeGreaterThan(files / 20);
});

test.each([
  ["a hundred thousand continued lines", `FROM a\nRUN x${" \\\n y".repeat(100_000)}`],
  ["a line of 256 KiB", `FROM a\nENV A=${"x".repeat(1 << 18)}\nRUN $A`],
  ["blanks, and more blanks", `FROM a\nRUN a${" ".repeat(200_000)}b${"\t".repeat(200_000)}`],
  ["many quotes", `FROM a\nENV A=${'"'.repeat(200_000)}`],
  ["many heredocs", `FROM a\nRUN ${"<<E ".repeat(2000)}\n${"E\n".repeat(2000)}`],
  ["a deep list", `FROM a\nCMD ${"[".repeat(100_000)}`],
  ["many instructions", `FROM a\n${"ENV A=$A B=${A:-x}\n".repeat(5000)}`],
  [
    "many stages, each from the one above",
    Array.from({ length: 3000 }, (_, index) => `FROM ${index ? `s${index - 1}` : "a"} AS s${index}`).join("\n"),
  ],
])("[BLD-1] %s does no harm", (_, text) => {
  const platform = { os: "linux", architecture: "amd64" };
  const { error } = checkDockerfile(parseDockerfile(text), { platforms: { target: platform, build: platform } });
  if (error) checkPlaces(error, text);
});
