import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteStream } from "@ramekin/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodedStream } from "../src/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ramekin-encoded-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* upper(source: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(Buffer.from(chunk).toString().toUpperCase());
  yield Buffer.from("!");
}

test("what is written arrives encoded, with what the encoder adds at the end; nothing shows before", async () => {
  const path = join(folder, "file");
  const writer = (await encodedStream(path, upper)).getWriter();
  for (const part of ["a", "b".repeat(100_000), "c"]) await writer.write(Buffer.from(part));
  expect(await readdir(folder)).not.toContain("file");
  await writer.close();
  expect(await readFile(path, "utf8")).toBe(`A${"B".repeat(100_000)}C!`);
  expect(await readdir(folder)).toEqual(["file"]);
});

test("aborted, it leaves nothing", async () => {
  const writer = (await encodedStream(join(folder, "file"), upper)).getWriter();
  await writer.write(Buffer.from("a"));
  await writer.abort(new Error("enough"));
  expect(await readdir(folder)).toEqual([]);
});

test("a failure of the encoder is told to whoever writes, and leaves nothing", async () => {
  const failing = async function* (source: ByteStream): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      if (chunk.byteLength > 0) throw new Error("cannot encode");
      yield chunk;
    }
  };
  const writer = (await encodedStream(join(folder, "file"), failing)).getWriter();
  const writeAll = async () => {
    for (let count = 0; count < 100; count++) await writer.write(Buffer.alloc(1000));
    await writer.close();
  };
  await expect(writeAll()).rejects.toThrow("cannot encode");
  await writer.closed.catch(() => undefined);
  expect(await readdir(folder)).toEqual([]);
});

test("a failure of the place it goes to is told as well", async () => {
  const full = new WritableStream<Uint8Array>({
    write() {
      throw new Error("no space");
    },
  });
  const writer = (await encodedStream(full, upper)).getWriter();
  const writeAll = async () => {
    for (let count = 0; count < 100; count++) await writer.write(Buffer.alloc(1000));
    await writer.close();
  };
  await expect(writeAll()).rejects.toThrow("no space");
});
