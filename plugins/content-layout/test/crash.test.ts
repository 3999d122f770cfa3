import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshStore } from "./stores.ts";

test("a crash between the rename of the bytes and the removal of their folder is no obstacle to the next ingestion", async () => {
  await using store = await freshStore();
  const bytes = Buffer.from("bytes");
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
  await (await store.open("blob")).close();
  await rm(join(store.root, "ingest", createHash("sha256").update("blob").digest("hex"), "data"));

  expect(await Array.fromAsync(store.ingests())).toMatchObject([{ ref: "blob", offset: 0 }]);
  const writer = await store.open("blob", { expected: { digest } });
  expect(writer.offset).toBe(0);
  await writer.write(bytes);
  await writer.commit();
  expect(await store.stat(digest)).toMatchObject({ size: bytes.byteLength });
  expect(await Array.fromAsync(store.ingests())).toEqual([]);
});
