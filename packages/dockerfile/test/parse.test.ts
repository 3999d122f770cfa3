import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDockerfile } from "../src/index.ts";
import { describeFile, instructionsOf, piecesOf } from "./describe.ts";

const testdata = join(import.meta.dirname, "testdata");
const filesIn = (folder: string) => readdirSync(join(testdata, folder)).filter((name) => name.endsWith(".Dockerfile"));
const read = (folder: string, name: string) => readFileSync(join(testdata, folder, name), "utf8");

// What they say was compared with what BuildKit's own parser (v0.34.2) says of the same files; the columns are ours.
test.each(filesIn("golden"))("[BLD-1] [BLD-2] golden file %s", async (name) => {
  await expect(describeFile(read("golden", name))).toMatchFileSnapshot(join(testdata, "golden", `${name}.txt`));
});

const all = [...filesIn("golden").map((name) => ["golden", name]), ...filesIn("real").map((name) => ["real", name])] as [string, string][];

test.each(all)("[BLD-1] every value of %s/%s stands where its range says", (folder, name) => {
  const file = parseDockerfile(read(folder, name));
  const { text } = file.source;
  const plain = (value: string) => value.replace(/[\\`]\r?\n(?:\s*#.*\n|\s*\n)*|^--[a-z-]+=?|["'\\]/g, "");
  for (const instruction of instructionsOf(file)) {
    for (const { text: value, range } of piecesOf(instruction)) {
      const written = text.slice(range.start.offset, range.end.offset);
      if (!written.includes("\\") && !value.includes("é")) expect(plain(written), instruction.text).toBe(plain(value));
      expect(range.start).toEqual(file.source.position(range.start.offset));
      expect(file.source.line(range.start.line).slice(range.start.column - 1)).toBe(text.slice(range.start.offset).split(/\r?\n/, 1)[0]);
    }
  }
});

test.each(filesIn("real"))("[BLD-1] round trip of %s: each instruction, written anew from what was read, reads the same", (name) => {
  const first = parseDockerfile(read("real", name));
  const directive = first.directives.escape ? "# escape=`\n" : "";
  const again = parseDockerfile(
    directive +
      instructionsOf(first)
        .map((instruction) => {
          const heredocs = "command" in instruction ? instruction.command.heredocs : [];
          const files = "files" in instruction ? instruction.files.map(({ name, content }) => ({ name, content })) : [];
          return [instruction.text, ...[...heredocs, ...files].map((file) => `${file.content}${file.name}`)].join("\n");
        })
        .join("\n"),
  );
  const values = (file: typeof first) => instructionsOf(file).map((each) => [each.name, piecesOf(each).map(({ text }) => text)]);
  expect(values(again)).toEqual(values(first));
});

test.each<[string, string, readonly string[]]>([
  ["RUN <<A <<-'B' 5<<C", "x\nA\n\ty\n\tB\nz\nC\n", ["A expand x", "B chomp \ty", "C expand 5 z"]],
  ["RUN << A", "x\nA\n", ["A expand x"]],
  ['RUN echo "<<A"', "", []],
  ["RUN echo $((1<<2))", "", []],
  ["RUN echo <<<A", "", []],
  ['RUN ["cat", "<<A"]', "", []],
  ["CMD cat <<A", "", []],
])("[BLD-2] heredocs of %s", (line, content, expected) => {
  const [instruction] = parseDockerfile(`FROM a\n${line}\n${content}USER last`).stages[0]?.instructions ?? [];
  const heredocs = instruction && "command" in instruction ? instruction.command.heredocs : [];
  const told = heredocs.map((each) =>
    [each.name, each.expand && "expand", each.chomp && "chomp", each.descriptor || undefined, each.content.trimEnd()]
      .filter(Boolean)
      .join(" "),
  );
  expect(told).toEqual(expected);
});
