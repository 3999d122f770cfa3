import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { View } from "./view.ts";

/** What a builder has made of the cases, in their order; cases that are not in `views` keep what was written before. */
export async function writeRecord(path: string, views: ReadonlyMap<string, View>): Promise<void> {
  const all = [...(existsSync(path) ? await readRecord(path) : []), ...views];
  const sorted = [...new Map(all)].sort(([a], [b]) => (a < b ? -1 : 1));
  await writeFile(path, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
}

export async function readRecord(path: string): Promise<ReadonlyMap<string, View>> {
  return new Map(Object.entries(JSON.parse(await readFile(path, "utf8"))));
}
