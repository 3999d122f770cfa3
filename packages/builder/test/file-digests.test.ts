import { hash } from "node:crypto";
import { lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildSession } from "@ramekin/core";
import { afterAll, expect, test } from "vitest";
import { FileDigests } from "../src/file-digests.ts";

const folder = mkdtempSync(join(tmpdir(), "digests-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Notes of a store; nothing else of it is asked for. */
function notes(): { readonly session: BuildSession; readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const session = {
    readNote: async (name: string) => kept.get(name),
    writeNote: async (name: string, text: string) => void kept.set(name, text),
  } as Partial<BuildSession> as BuildSession;
  return { session, kept };
}

const path = join(folder, "file");
const digest = (digests: FileDigests) => digests.digest("file", path, lstatSync(path, { bigint: true }));
const real = () => hash("sha256", readFileSync(path));

test("[BLD-8] a file that has not changed is not read again; one that has is, whatever its times say", async () => {
  const { session, kept } = notes();
  writeFileSync(path, "first");
  const { atime, mtime } = statSync(path);
  await sleep(60);
  const first = await FileDigests.of(session, folder);
  expect(digest(first)).toBe(real());
  await first.keep();
  const [note] = kept.keys();
  // A lie in the note shows that it, and not the file, was asked.
  kept.set(note as string, (kept.get(note as string) as string).replace(real(), "f".repeat(64)));
  expect(digest(await FileDigests.of(session, folder))).toBe("f".repeat(64));

  // The same size, and the time put back: only the ctime tells.
  writeFileSync(path, "secnd");
  utimesSync(path, atime, mtime);
  expect(digest(await FileDigests.of(session, folder))).toBe(real());
  // Another file in its place.
  writeFileSync(join(folder, "other"), "third");
  utimesSync(join(folder, "other"), atime, mtime);
  renameSync(join(folder, "other"), path);
  expect(digest(await FileDigests.of(session, folder))).toBe(real());
});

test("[BLD-8] what is written to twice within a tick of the clock is not taken for what it was", async () => {
  for (let round = 0; round < 200; round++) {
    const { session } = notes();
    writeFileSync(path, `${round % 10}aaa`);
    const before = await FileDigests.of(session, folder);
    digest(before);
    await before.keep();
    writeFileSync(path, `${round % 10}bbb`);
    expect(digest(await FileDigests.of(session, folder))).toBe(real());
  }
});

test("a damaged note is as good as none", async () => {
  const { session, kept } = notes();
  await (await FileDigests.of(session, folder)).keep();
  for (const text of ["", "{", "[]", "[2]", "[1,2]", "null"]) {
    kept.set(`files-${hash("sha256", folder)}`, text);
    expect(digest(await FileDigests.of(session, folder))).toBe(real());
  }
});
