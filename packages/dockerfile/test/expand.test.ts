import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ExpandOptions, expand } from "../src/index.ts";

const variables = new Map(Object.entries({ x: "abcabc", y: "2", e: "", p: "/usr/local/bin", s: "a*b", sp: "one two" }));

/** Text and options; null for an error, else text, words (null: not comparable), names found, names missing. */
type Recorded = readonly [string, ExpandOptions, null | readonly [string, readonly string[] | null, readonly string[], readonly string[]]];

// Made by BuildKit v0.34.2 (frontend/dockerfile/shell) from texts of ours. Words are not compared where a ${…} is in the text: there
// BuildKit loses what stands before it in the same word, and a port `80${x:-80}` would be 80.
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "testdata/expansions.json"), "utf8")) as readonly Recorded[];

test("[BLD-3] what BuildKit makes of hundreds of texts", () => {
  expect(recorded.length).toBeGreaterThan(450);
  for (const [text, options, expected] of recorded) {
    if (expected === null) {
      expect(() => expand(text, variables, options), text).toThrow();
      continue;
    }
    const { text: result, words, found, missing } = expand(text, variables, options);
    const got = [result, expected[1] && words, [...found].toSorted(), [...missing].toSorted()];
    expect(got, JSON.stringify([text, options])).toEqual(expected);
  }
});

test("[BLD-3] unset and empty are told apart", () => {
  const of = (text: string) => expand(text, new Map([["e", ""]])).text;
  expect(["${e-w}", "${u-w}", "${e:-w}", "${e+w}", "${e:+w}", "${u+w}"].map(of)).toEqual(["", "w", "w", "w", "", ""]);
});

test("[BLD-3] words: quotes keep blanks together, blanks of a variable split", () => {
  const of = (text: string) => expand(text, variables).words;
  expect(of("a $sp 'b c' \"$sp\"")).toEqual(["a", "one", "two", "b c", "one two"]);
  expect(of("80${u:-80} ${u:-1 2}")).toEqual(["8080", "1", "2"]);
});

test.each<[string, string]>([
  ["${u:?is needed}", 'failed to process "${u:?is needed}": u: is needed'],
  ["${u?}", 'failed to process "${u?}": u: is not allowed to be unset'],
  ["${e:?}", 'failed to process "${e:?}": e: is not allowed to be empty'],
  ["${x:z}", 'failed to process "${x:z}": unsupported modifier (:z) in substitution'],
  ["${x", "failed to process \"${x\": syntax error: missing '}'"],
  ["${}", 'failed to process "${}": syntax error: bad substitution'],
  ["'a", 'failed to process "\'a": unexpected end of statement while looking for matching single-quote'],
])("[BLD-3] %s fails as in Docker", (text, message) => {
  expect(() => expand(text, variables)).toThrow(message);
});

test("[BLD-3] patterns made to take long do not, and deep nesting is refused", () => {
  const value = new Map([["x", "a".repeat(5000)]]);
  expect(expand(`\${x##${"*a".repeat(40)}*b}`, value).text).toHaveLength(5000);
  expect(() => expand("${u:-".repeat(100_000), value)).toThrow("nested too deeply");
});
