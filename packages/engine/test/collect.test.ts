import { readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@ramekin/core";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, test } from "vitest";
import { bed } from "./bed.ts";
import { type MadeImage, makeImage } from "./doubles/image.ts";

const app = makeImage({ layers: ["base", "top"] });
const pathOf = (directory: string, digest: Digest) => join(directory, "root", "images", "blobs", ...digest.split(":"));
const documentsOf = ({ root, blobs }: MadeImage) => {
  const { config } = JSON.parse(Buffer.from(blobs.get(root.digest) as Uint8Array).toString());
  return { manifest: root.digest, config: config.digest as Digest };
};
const usedIn = async (directory: string) => (await readdir(join(directory, "root", "used"))).sort();

test.for(["config", "manifest"] as const)("what a container stands on is not touched though its image's %s is gone", async (lost) => {
  const storage = memoryStorage();
  const attempts: string[] = [];
  const remove = (key: string) => {
    attempts.push(key);
    return storage.remove(key);
  };
  const watched = { ...storage, remove };
  await using t = await bed({ local: { app }, storage: watched });
  const container = await t.engine.create({ image: "app", command: ["true"] });
  await rm(pathOf(t.directory, documentsOf(app)[lost]));
  expect((await t.engine.prune()).snapshots).toEqual([]);
  expect(attempts).toEqual([]);
  await container.start();
  await container.wait();
  await container.remove();
  await t.engine.removeImage("app");
  expect(attempts).toHaveLength(3);
  expect(t.warnings).toEqual([]);
});

test("while a document is damaged nothing is deleted, and it is said; the damaged image itself can be removed", async () => {
  const other = makeImage({ layers: ["other"] });
  await using t = await bed({ local: { app, other } });
  await writeFile(pathOf(t.directory, app.root.digest), "damaged");
  await t.engine.removeImage("other");
  expect(await stat(pathOf(t.directory, other.root.digest))).toBeDefined();
  expect(t.warnings).toEqual([expect.stringContaining("the store is damaged, nothing was deleted")]);
  await t.engine.removeImage("app");
  expect(await readdir(join(t.directory, "root", "images", "blobs", "sha256"))).toEqual([]);
});

test("an image's mark comes and goes with it, and a create renews it", async () => {
  await using t = await bed({ local: { app } });
  const mark = join(t.directory, "root", "used", app.root.digest.replace(":", "-"));
  await t.engine.tag("app", "app:two");
  expect(await usedIn(t.directory)).toEqual([app.root.digest.replace(":", "-")]);
  await utimes(mark, 1, 1);
  const container = await t.engine.create({ image: "app:two", command: ["true"] });
  expect(Date.now() - (await stat(mark)).mtimeMs).toBeLessThan(60_000);
  await container.remove();
  await t.engine.removeImage("app:two");
  expect(await usedIn(t.directory)).toHaveLength(1);
  await t.engine.removeImage("app");
  expect(await usedIn(t.directory)).toEqual([]);
});
