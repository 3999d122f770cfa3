import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { ByteStream } from "@ramekin/core";
import { describe, expect, test } from "vitest";
import { programCodec } from "../src/program.ts";

const content = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `line ${index * 7919}\n`).join(""));
const formats = [
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
] as const;

async function* pieces(bytes: Uint8Array, size = 65_536): ByteStream {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size);
}
async function collect(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each(formats)("%s", (format, magic) => {
  const absent = existsSync(`/usr/bin/${format}`) ? undefined : `not installed: ${format}`;
  const codec = programCodec(format, magic);
  const pack = (bytes: Uint8Array) => execFileSync(format, ["--compress", "--stdout"], { input: bytes, maxBuffer: 1 << 26 });

  test("decodes what the program has encoded, several streams as one", async (context) => {
    if (absent !== undefined) return context.skip(absent);
    const packed = pack(content);
    expect(codec.detect(packed.subarray(0, 16))).toBe(true);
    expect(codec.detect(content.subarray(0, 16))).toBe(false);
    expect((await collect(codec.decode(pieces(packed)))).equals(content)).toBe(true);
    expect((await collect(codec.decode(pieces(Buffer.concat([packed, pack(Buffer.from("more"))]), 999)))).subarray(-4).toString()).toBe(
      "more",
    );
  });

  test("truncated and corrupt input is DATA_LOSS, a bomb RESOURCE_EXHAUSTED", async (context) => {
    if (absent !== undefined) return context.skip(absent);
    const packed = pack(content);
    await expect(collect(codec.decode(pieces(packed.subarray(0, -100))))).rejects.toMatchObject({ code: "DATA_LOSS" });
    const spoilt = Buffer.from(packed);
    spoilt[spoilt.byteLength >> 1] = (spoilt[spoilt.byteLength >> 1] ?? 0) ^ 0xff;
    await expect(collect(codec.decode(pieces(spoilt)))).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringMatching(/^(xz|bzip2): /),
    });
    await expect(collect(codec.decode(pieces(packed), { maxOutput: 1000 }))).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  test("ends with its signal, with its source, and when nobody reads on", async (context) => {
    if (absent !== undefined) return context.skip(absent);
    const packed = pack(content);
    const stuck = async function* (): ByteStream {
      yield packed.subarray(0, 100);
      await new Promise(() => {});
    };
    await expect(collect(codec.decode(stuck(), { signal: AbortSignal.timeout(50) }))).rejects.toThrow();
    const broken = async function* (): ByteStream {
      yield packed.subarray(0, 100);
      throw new Error("the line is cut");
    };
    await expect(collect(codec.decode(broken()))).rejects.toThrow("the line is cut");
    let closed = false;
    const watched = async function* (): ByteStream {
      try {
        for (;;) yield* pieces(packed);
      } finally {
        closed = true;
      }
    };
    for await (const _ of codec.decode(watched())) break;
    await expect.poll(() => closed).toBe(true);
  });
});

test("a program that is not there is named", async () => {
  await expect(collect(programCodec("no-such-program", [0]).decode(pieces(content)))).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: "no-such-program cannot be run",
  });
});
