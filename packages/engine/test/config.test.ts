import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig, preferences } from "../src/config.ts";
import { expectError } from "./bed.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ramekin-config-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function withFile(name: string, text: string) {
  const home = join(directory, name);
  await mkdir(join(home, "ramekin"), { recursive: true });
  await writeFile(join(home, "ramekin", "config.toml"), text);
  return { XDG_CONFIG_HOME: home };
}
const absent = () => join(directory, "absent.toml");

test("no file is no error", async () => {
  expect(await loadConfig({ XDG_CONFIG_HOME: join(directory, "nobody") }, absent())).toBeUndefined();
});

test("the user's file hides the machine's", async () => {
  const machine = join(directory, "machine.toml");
  await writeFile(machine, 'root = "/machine"\n');
  expect((await loadConfig({ XDG_CONFIG_HOME: join(directory, "nobody") }, machine))?.content).toEqual({ root: "/machine" });
  expect((await loadConfig(await withFile("user", 'root = "/user"\n'), machine))?.content).toEqual({ root: "/user" });
});

test.for([
  ["broken", "root = ", /Invalid TOML|parse/i],
  ["typed", "root = 1", "root is not a string"],
  ["table", 'drivers = "vfs"', "drivers is not a table"],
  ["names", "[drivers]\nstorage = 1", "drivers.storage is neither a name nor a list"],
] as const)("a file that is wrong says where: %s", async ([name, text, message]) => {
  await expectError(loadConfig(await withFile(name, text), absent()), "INVALID_ARGUMENT", message);
});

test("flag, then environment, then file", async () => {
  const environment = await withFile("order", '[drivers]\nstorage = "file"\nlog = "file"\nnetwork = "file"\ncodec = ["a", "b"]\n');
  const choose = preferences({ storage: "flag" }, { ...environment, RAMEKIN_STORAGE: "variable", RAMEKIN_LOG: "variable" }, () =>
    loadConfig(environment, absent()),
  );
  expect((await choose("storage"))?.names).toEqual(["flag"]);
  expect(await choose("log")).toEqual({ names: ["variable"], from: "RAMEKIN_LOG" });
  expect((await choose("network"))?.names).toEqual(["file"]);
  expect((await choose("codec"))?.names).toEqual(["a", "b"]);
  expect(await choose("isolation")).toBeUndefined();
});

test("the file is not read when flag or environment speak", async () => {
  const choose = preferences({ storage: "flag" }, { RAMEKIN_LOG: "variable" }, () => Promise.reject(new Error("read")));
  await choose("storage");
  await choose("log");
  await expect(choose("network")).rejects.toThrow("read");
});
