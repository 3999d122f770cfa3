import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkId, isBeingMade, made, makeRunDirectory, openRunDirectory, removeRunDirectory, type ShimFile } from "../src/run-directory.ts";

let base: string;
beforeEach(async () => {
  base = join(await mkdtemp(join(tmpdir(), "ramekin-run-test-")), "containers");
});
afterEach(() => rm(join(base, ".."), { recursive: true }));

const shim: ShimFile = {
  version: 1,
  id: "c1",
  bundle: "/bundle",
  stateFile: "/state.json",
  launcher: { argv: ["/launcher"], options: [] },
  rootfs: [],
  io: { terminal: false, stdin: "closed", log: { type: "none" } },
  cleanup: [],
};
const mode = (path: string) => statSync(path).mode & 0o777;

test("it is ours alone, and marked until it is made", async () => {
  const run = makeRunDirectory(base, shim);
  expect([mode(base), mode(run.path), mode(join(run.path, "shim.json"))]).toEqual([0o700, 0o700, 0o600]);
  expect(isBeingMade(run)).toBe(true);
  made(run);
  made(run);
  expect(isBeingMade(run)).toBe(false);
  expect(await openRunDirectory(base, "c1")).toEqual({ path: join(base, "c1"), shim });
  expect(await openRunDirectory(base, "c2")).toBeUndefined();
});

test("with a user namespace, its root may pass through", () => {
  const run = makeRunDirectory(base, shim, { traversable: true });
  expect([mode(base), mode(run.path), mode(join(run.path, "shim.json"))]).toEqual([0o711, 0o711, 0o600]);
});

test("an id in use is refused, and leaves no draft", () => {
  makeRunDirectory(base, shim);
  expect(() => makeRunDirectory(base, { ...shim, bundle: "/other" })).toThrow(expect.objectContaining({ code: "ALREADY_EXISTS" }));
  expect(existsSync(join(base, ".new-c1"))).toBe(false);
  expect(readFileSync(join(base, "c1/shim.json"), "utf8")).toContain("/bundle");
});

test.each([
  ["a dead creator's draft", { pid: 999_999_999, startTime: 1, bootId: "x" }],
  ["a draft of a former boot", { pid: process.pid, startTime: 1, bootId: "x" }],
])("%s is taken over", async (_, creator) => {
  await mkdir(join(base, ".new-c1"), { recursive: true });
  await writeFile(join(base, ".new-c1/creating"), JSON.stringify(creator));
  expect(makeRunDirectory(base, shim).path).toBe(join(base, "c1"));
});

test("removal is idempotent, and stops at a root that is not empty", async () => {
  const run = makeRunDirectory(base, shim);
  await mkdir(join(run.path, "rootfs/etc"), { recursive: true });
  await expect(removeRunDirectory(run)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  expect(existsSync(join(run.path, "rootfs/etc"))).toBe(true);
  await rm(join(run.path, "rootfs/etc"), { recursive: true });
  await removeRunDirectory(run);
  await removeRunDirectory(run);
  expect(existsSync(run.path)).toBe(false);
});

test.each(["", ".", "..", "a/b", "../c1", "-x", "x".repeat(129)])("the id %j is refused", (id) => {
  expect(() => checkId(id)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
