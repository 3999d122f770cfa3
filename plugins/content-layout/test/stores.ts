import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentStore } from "@ramekin/core";
import { ownerLock } from "@ramekin/native";
import { layoutContent, type TryLock } from "../src/index.ts";
import { nodeDigester } from "./digester.ts";

export interface TestStore extends ContentStore, AsyncDisposable {
  readonly root: string;
}

const roots: string[] = [];

/** Once more, for cases that were given up: what they had begun goes on, and makes its directories anew. */
export async function removeStores(): Promise<void> {
  for (const root of roots) await rm(root, { recursive: true, force: true });
}

/** Fresh and empty, removed when disposed of. */
export async function freshStore(tryLock: TryLock = ownerLock): Promise<TestStore> {
  const root = await mkdtemp(join(tmpdir(), "ramekin-content-"));
  roots.push(root);
  return { ...storeAt(root, tryLock), root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

export const storeAt = (root: string, tryLock: TryLock = ownerLock): ContentStore =>
  layoutContent({ root, digester: nodeDigester, tryLock });

/** The command line of a process that serves the store at `root`, `how` says which one. */
export const program = (root: string, how: string): readonly [string, ...string[]] => [
  process.execPath,
  "--conditions=ramekin-source",
  "--disable-warning=ExperimentalWarning",
  new URL("program.ts", import.meta.url).pathname,
  root,
  how,
];
