import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { InputStream, OutputStream } from "../src/context.ts";
import { pumpIn, pumpOut } from "../src/terminal/pump.ts";

async function* chunks(count: number, size: number, given: { count: number }) {
  for (let index = 0; index < count; index++) {
    given.count++;
    yield Buffer.alloc(size, index);
  }
}

describe("output", () => {
  test("is taken no faster than it is written", async () => {
    const slow = new Writable({ highWaterMark: 1000, write: (_chunk, _encoding, done) => void setTimeout(done, 1) });
    const given = { count: 0 };
    const pumping = pumpOut(chunks(100, 600, given), slow as unknown as OutputStream);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(given.count).toBeLessThan(50);
    await pumping;
    expect(given.count).toBe(100);
  });

  test("is dropped when its reader has gone, and leaves no listener", async () => {
    let written = 0;
    const broken = new Writable({
      write(_chunk, _encoding, done) {
        written++;
        done(written > 2 ? Object.assign(new Error("write EPIPE"), { code: "EPIPE" }) : null);
      },
    });
    broken.on("error", () => {});
    const given = { count: 0 };
    await pumpOut(chunks(100, 100_000, given), broken as unknown as OutputStream);
    expect(given.count).toBe(100);
    expect(written).toBe(3);
    expect(broken.listenerCount("error")).toBe(1);
  });

  test("goes nowhere without a target", async () => {
    const given = { count: 0 };
    await pumpOut(chunks(5, 10, given), undefined);
    expect(given.count).toBe(5);
  });
});

describe("input", () => {
  test("is read no faster than the process takes it", async () => {
    const source = new PassThrough();
    let release: () => void = () => {};
    const target = new WritableStream<Uint8Array>({ write: () => new Promise<void>((resolve) => (release = resolve)) });
    using pump = pumpIn(source as unknown as InputStream, target, undefined);
    source.write("a");
    await new Promise((resolve) => setImmediate(resolve));
    source.write("b");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(source.readableLength).toBe(1);
    release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(source.readableLength).toBe(0);
    expect(pump.done).toBeInstanceOf(Promise);
  });

  test("ends quietly when the process has closed its stdin, and leaves no listener", async () => {
    const source = new PassThrough();
    const target = new WritableStream<Uint8Array>({
      write: () => {
        throw new Error("stdin is closed");
      },
    });
    const pump = pumpIn(source as unknown as InputStream, target, undefined);
    source.write("a");
    await new Promise((resolve) => setTimeout(resolve, 5));
    pump[Symbol.dispose]();
    expect(source.isPaused()).toBe(true);
    expect(source.listenerCount("data")).toBe(0);
  });
});
