import { createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createHasher, decodeStream, encodeStream, type NativeFormat } from "../src/index.ts";
import { collect, pieces } from "./support.ts";

const text = Buffer.concat([Buffer.from("all work and no play ".repeat(50_000)), randomBytes(700_000)]);

describe.each<NativeFormat>(["gzip", "zstd"])("%s", (format) => {
  test("decodes what it has encoded, in any pieces", async () => {
    const encoded = await collect(encodeStream(format, pieces(text, 100_000)));
    expect(encoded.length).toBeLessThan(text.length);
    expect((await collect(decodeStream(format, pieces(encoded, 9_999)))).equals(text)).toBe(true);
  });

  test("refuses truncated and corrupt input", async () => {
    const encoded = await collect(encodeStream(format, pieces(text, 1 << 20)));
    const cut = collect(decodeStream(format, pieces(encoded.subarray(0, -3), 50_000)));
    await expect(cut).rejects.toMatchObject({ code: "DATA_LOSS" });
    const dirty = collect(decodeStream(format, pieces(Buffer.concat([encoded, Buffer.from("dirt")]), 50_000)));
    await expect(dirty).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test("hands out no more than was asked for", async () => {
    const encoded = await collect(encodeStream(format, pieces(text, 1 << 20)));
    let handedOut = 0;
    const limited = async () => {
      for await (const chunk of decodeStream(format, pieces(encoded, 50_000), { maxOutput: 500_000 })) handedOut += chunk.length;
    };
    await expect(limited()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(handedOut).toBeLessThanOrEqual(500_000);
    expect(await collect(decodeStream(format, pieces(encoded, 50_000), { maxOutput: text.length }))).toHaveLength(text.length);
  });

  test("fails as its source fails, and closes a source that nobody reads on", async () => {
    const broken = async function* () {
      yield text;
      throw new TypeError("the network is gone");
    };
    await expect(collect(encodeStream(format, broken()))).rejects.toThrow(new TypeError("the network is gone"));
    let closed = false;
    const endless = async function* () {
      try {
        for (;;) yield randomBytes(1 << 20);
      } finally {
        closed = true;
      }
    };
    for await (const chunk of encodeStream(format, endless())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });

  test("tells the source's failure also to who reads on only later", async () => {
    const begun = Promise.withResolvers<void>();
    const broken = async function* () {
      yield randomBytes(3 << 20);
      await begun.promise;
      throw new TypeError("the network is gone");
    };
    const encoded = encodeStream(format, broken())[Symbol.asyncIterator]();
    expect((await encoded.next()).done).toBe(false);
    begun.resolve();
    await new Promise((done) => setTimeout(done, 100)); // the thread has long ended
    const rest = async () => {
      while (!(await encoded.next()).done);
    };
    await expect(rest()).rejects.toThrow(new TypeError("the network is gone"));
  });

  test("ends when its signal fires, even while the source is silent", async () => {
    const controller = new AbortController();
    const silent = async function* () {
      yield text;
      await new Promise(() => undefined);
    };
    const decoding = collect(encodeStream(format, silent(), { signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    await expect(decoding).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("promises no reproducible bytes", async () => {
    expect(() => encodeStream(format, pieces(text, 1000), { reproducible: true })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
  });
});

test("gzip is zlib's, both ways", async () => {
  expect(gunzipSync(await collect(encodeStream("gzip", pieces(text, 65_536)))).equals(text)).toBe(true);
  expect((await collect(decodeStream("gzip", pieces(gzipSync(text), 65_536)))).equals(text)).toBe(true);
});

test.each(["sha256", "sha512"] as const)("%s is OpenSSL's", (algorithm) => {
  const hasher = createHasher(algorithm);
  for (let at = 0; at < text.length; at += 77_777) hasher.update(text.subarray(at, at + 77_777));
  expect(hasher.digest()).toBe(`${algorithm}:${createHash(algorithm).update(text).digest("hex")}`);
  expect(() => hasher.digest()).toThrow();
});
