import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findRuntime } from "../src/runtime.ts";

let root: string;
let cgroups: string;
const search = (options: { runtime?: string; path?: string } = {}) => findRuntime({ path: `${root}/none:${root}`, cgroups, ...options });
const install = (name: string) => writeFile(join(root, name), "#!/bin/sh\n", { mode: 0o755 });
const hybrid = async (controllers: string) => {
  await mkdir(join(cgroups, "unified"));
  await writeFile(join(cgroups, "unified/cgroup.controllers"), controllers);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ramekin-oci-test-"));
  cgroups = join(root, "cgroup");
  await mkdir(cgroups);
});
afterEach(() => rm(root, { recursive: true }));

test("none installed: each is named", () => {
  expect(search()).toEqual({ ok: false, reason: "runc is not in PATH; crun is not in PATH; youki is not in PATH" });
});

test("the first that is there", async () => {
  await install("youki");
  expect(search()).toEqual({ ok: true, path: join(root, "youki") });
  await install("runc");
  expect(search()).toEqual({ ok: true, path: join(root, "runc") });
});

test("the one that was asked for, by name or path, and no other", async () => {
  await install("runc");
  expect(search({ runtime: "kata" })).toEqual({ ok: false, reason: "kata is not in PATH" });
  expect(search({ runtime: "/none/runc" })).toEqual({ ok: false, reason: "/none/runc is not executable" });
  expect(search({ runtime: join(root, "runc"), path: "" })).toEqual({ ok: true, path: join(root, "runc") });
});

test("crun is refused on a hybrid layout whose version 2 side has controllers, under any name", async () => {
  await install("crun");
  await symlink("crun", join(root, "runtime"));
  expect(search()).toMatchObject({ ok: true });
  await hybrid("hugetlb\n");
  const refused = {
    ok: false,
    reason: expect.stringContaining("hybrid control groups: the version 2 hierarchy has controllers (hugetlb)"),
  };
  expect(search()).toEqual(refused);
  expect(search({ runtime: "runtime" })).toEqual(refused);
});

test("a hybrid layout without controllers on the version 2 side is fine", async () => {
  await install("crun");
  await hybrid("");
  expect(search()).toEqual({ ok: true, path: join(root, "crun") });
});
