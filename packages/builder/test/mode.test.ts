import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseMode } from "../src/mode.ts";

const folder = mkdtempSync(join(tmpdir(), "mode-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("[BLD-6] modes in symbols are what chmod(1) makes of them", () => {
  const file = join(folder, "file");
  const directory = join(folder, "directory");
  writeFileSync(file, "");
  mkdirSync(directory);
  const texts = [
    "u=rwX,go=rX",
    "a+x",
    "+x",
    "go-w",
    "u+s",
    "g+s",
    "+t",
    "g=u",
    "o=g,u+w",
    "u=,g+rw-x",
    "a=X",
    "ug+st",
    "=r",
    "u=rwxs",
    "o=t",
    "u+t",
  ];
  for (const text of texts) {
    for (const mode of [0o644, 0o755, 0o600, 0o4711, 0o2770, 0o1777, 0o7777, 0o000]) {
      for (const [path, isDirectory] of [
        [file, false],
        [directory, true],
      ] as const) {
        chmodSync(path, mode);
        // Without a umask: BuildKit has none.
        execFileSync("sh", ["-c", 'umask 0; chmod "$1" "$2"', "sh", text, path]);
        const expected = (lstatSync(path).mode & 0o7777).toString(8);
        expect([text, mode.toString(8), isDirectory, parseMode(text)(mode, isDirectory).toString(8)]).toEqual([
          text,
          mode.toString(8),
          isDirectory,
          expected,
        ]);
      }
    }
  }
  expect(parseMode("4755")(0o644, false)).toBe(0o4755);
  expect(() => parseMode("u=q")).toThrow("invalid mode u=q");
});
