import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pathsOf } from "../src/store/paths.ts";
import { holdVolume, makeVolume, removeIfFree, removeVolumeRemains, type VolumeFile, volumePaths } from "../src/store/volumes.ts";
import { bed, expectError } from "./bed.ts";

const nothing = async () => undefined;
const file = (name: string): VolumeFile => ({
  version: 1,
  name,
  driver: "local",
  createdAt: new Date().toISOString(),
  labels: {},
  options: {},
  anonymous: false,
});

test("[VOL-1] volumes by the API: made once, listed by name, removed when nobody has them", async () => {
  await using made = await bed();
  const { volumes } = made.engine;
  const labels = { course: "main" };
  expect(await volumes.create({ name: "pantry", labels })).toMatchObject({
    name: "pantry",
    driver: "local",
    labels,
    anonymous: false,
    containers: [],
  });
  expect((await volumes.create({ name: "pantry", labels: { other: "x" } })).labels).toEqual(labels);
  const nameless = await volumes.create();
  expect(nameless).toMatchObject({ anonymous: true, labels: { "com.docker.volume.anonymous": "" } });
  expect((await volumes.list()).map(({ name }) => name)).toEqual([nameless.name, "pantry"].sort());
  expect(await (await made.open()).volumes.inspect("pantry")).toEqual(await volumes.inspect("pantry"));
  await expectError(volumes.inspect("larder"), "NOT_FOUND", "get larder: no such volume");
  await expectError(volumes.remove("larder"), "NOT_FOUND");
  await volumes.remove("larder", { force: true });
  await expectError(volumes.create({ name: ".." }), "INVALID_ARGUMENT", "invalid characters");
  await expectError(volumes.create({ name: "ok", driver: "cloud" }), "NOT_FOUND", 'plugin "cloud" not found');
  await expectError(volumes.create({ name: "ok", driverOptions: { size: "1g" } }), "UNSUPPORTED", "no quota support");
  expect((await volumes.prune({ all: true, keep: ({ name }) => name === "pantry" })).volumes).toEqual([nameless.name]);
  await volumes.remove("pantry");
  expect(await volumes.list()).toEqual([]);
});

test("[VOL-1] many make, take and remove one volume at once: whoever has taken it keeps it", async () => {
  await using made = await bed();
  const paths = pathsOf(join(made.directory, "root"), join(made.directory, "run"));
  await made.engine.volumes.list();
  let kept = 0;
  const one = async (number: number) => {
    const id = number.toString(16).padStart(64, "0");
    mkdirSync(paths.container(id).directory, { recursive: true });
    for (let round = 0; round < 20; round++) {
      await makeVolume(paths, file("shared"));
      if (!holdVolume(paths, "shared", id)) continue;
      const { data, holders } = volumePaths(paths, "shared");
      // As long as somebody has it, it is whole, and goes for nobody.
      expect(await removeIfFree(paths, "shared", nothing)).toBe(false);
      writeFileSync(join(data, id), "");
      expect(readdirSync(holders)).toContain(id);
      kept++;
      const { rm } = await import("node:fs/promises");
      await rm(join(holders, id));
      await removeIfFree(paths, "shared", nothing);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, number) => one(number)));
  expect(kept).toBeGreaterThan(8);
  await removeIfFree(paths, "shared", nothing);
  await removeVolumeRemains(paths);
  expect(readdirSync(paths.volumes)).toEqual([".lock"]);
});

test("[VOL-1] what a crash leaves is garbage: a holder without its container, a volume on its way out", async () => {
  await using made = await bed();
  const paths = pathsOf(join(made.directory, "root"), join(made.directory, "run"));
  const { volumes } = made.engine;
  await volumes.create({ name: "left" });
  holdVolume(paths, "left", "f".repeat(64));
  expect((await volumes.inspect("left")).containers).toEqual([]);
  await volumes.remove("left");
  // Killed between the removal of its holders and of itself.
  await volumes.create({ name: "half" });
  const { rmdir } = await import("node:fs/promises");
  await rmdir(volumePaths(paths, "half").holders);
  expect(await volumes.list()).toEqual([]);
  await expectError(volumes.inspect("half"), "NOT_FOUND");
  expect((await volumes.create({ name: "half", labels: { again: "1" } })).labels).toEqual({ again: "1" });
  await volumes.remove("half");
  mkdirSync(join(paths.volumes, ".gone-1"));
  await made.engine.prune();
  expect(readdirSync(paths.volumes)).toEqual([".lock"]);
});

test("[VOL-5] secrets by the API: content goes in, and does not come out", async () => {
  await using made = await bed();
  const { secrets } = made.engine;
  const secret = await secrets.create("db", Buffer.from("hush"), { labels: { for: "db" } });
  expect(await secrets.inspect(secret.id.slice(0, 8))).toEqual(secret);
  expect(JSON.stringify(await secrets.list())).not.toContain("hush");
  await expectError(secrets.create("db", Buffer.from("x")), "ALREADY_EXISTS", "secret name db is in use");
  expect((await secrets.create("db", Buffer.from("x"), { replace: true })).id).toBe(secret.id);
  await expectError(secrets.create("big", new Uint8Array(512_001)), "INVALID_ARGUMENT", "512001 bytes");
  await expectError(secrets.create("a=b", Buffer.from("x")), "INVALID_ARGUMENT");
  expect(await secrets.remove("db")).toMatchObject({ name: "db" });
  await expectError(secrets.inspect("db"), "NOT_FOUND", "no such secret: db");
});
