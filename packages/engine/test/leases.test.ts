import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownerLock } from "@ramekin/native";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "../src/store/layout.ts";
import { readLeases, takeLease } from "../src/store/leases.ts";
import { type Paths, pathsOf } from "../src/store/paths.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
let paths: Paths;

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), "ramekin-leases-"));
  paths = pathsOf(root, join(root, "run"));
  await openStore(paths);
});
afterEach(() => rm(paths.root, { recursive: true, force: true }));

test("a lease counts while it is held, and leaves nothing", async () => {
  const lease = await takeLease(paths);
  await lease.protect(digest);
  expect(await readLeases(paths)).toEqual({ ids: new Set([lease.id]), digests: new Set([digest]) });
  await lease[Symbol.asyncDispose]();
  expect(await readLeases(paths)).toEqual({ ids: new Set(), digests: new Set() });
  expect(await readdir(paths.leases)).toEqual([]);
});

test("so does that of a process without flock, until it ends", async () => {
  const id = randomUUID();
  const path = join(paths.leases, id);
  const held = await ownerLock(path);
  await writeFile(path, `${digest}\n`);
  expect(await readLeases(paths)).toEqual({ ids: new Set([id]), digests: new Set([digest]) });
  expect((await readdir(paths.leases)).sort()).toEqual([id, `${id}.owner`]);
  await held?.release();
  await writeFile(`${path}.owner`, '{"pid":1,"startTime":"0","bootId":"an earlier one"}');
  expect(await readLeases(paths)).toEqual({ ids: new Set(), digests: new Set() });
  expect(await readdir(paths.leases)).toEqual([]);
});
