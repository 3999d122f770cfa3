import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IgnoreMatcher, type TransferStep } from "@ramekin/dockerfile";
import { afterAll, expect, test } from "vitest";
import { contextOf } from "../src/context.ts";
import { directoryTree } from "../src/directory-tree.ts";
import { findSources } from "../src/find-sources.ts";
import type { Workbench } from "../src/workbench.ts";

const folder = mkdtempSync(join(tmpdir(), "sources-"));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ["a1.txt", "a2.txt", "a.md"]) writeFileSync(join(folder, name), "");

async function names(...sources: readonly string[]): Promise<readonly string[]> {
  const step = { type: "copy", sources, files: [], exclude: ["*.txt"], parents: false } as unknown as TransferStep;
  const context = contextOf(directoryTree(folder), new IgnoreMatcher([]));
  return (await findSources({} as Workbench, step, async () => context, undefined)).map(({ name }) => name);
}

test("--exclude leaves out what a pattern fits, and not what is named", async () => {
  expect(await names("a1.txt", "a.md")).toEqual(["a1.txt", "a.md"]);
  expect(await names("a*")).toEqual(["a.md"]);
});
