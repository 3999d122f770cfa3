import { expect, test } from "vitest";
import { tarEnd, tarHeader, tarPadding, withTimes } from "../src/index.ts";

type Header = Parameters<typeof tarHeader>[0];

const file = (header: Omit<Header, "type" | "size">, content = "soup"): Buffer =>
  Buffer.concat([tarHeader({ ...header, type: "0", size: content.length }), Buffer.from(content), tarPadding(content.length)]);

/** In pieces of `size`, as a network cuts them. */
async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function rewritten(bytes: Buffer, change: (seconds: number) => number, options: { open?: boolean; size?: number } = {}) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of withTimes(pieces(bytes, options.size ?? 700), change, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const clamp = (seconds: number) => Math.min(seconds, 1000);
const long = `${"deep/".repeat(40)}dish`;

test("[BLD-13] what is later becomes the date, fractions and all; what is not stays byte for byte, whatever the pieces", async () => {
  const xattr = { "SCHILY.xattr.user.course": "main" };
  const before = Buffer.concat([
    file({ name: "old", mtime: 999 }),
    file({ name: "new", mtime: 5000, mode: 0o750, uid: 12 }, "x".repeat(1500)),
    file({ name: "fraction", mtime: 5000.25, pax: xattr }),
    file({ name: long, mtime: 4000.5 }),
    file({ name: "access", mtime: 3, pax: { atime: "7000.5", ctime: "2" } }),
    tarEnd,
  ]);
  const after = Buffer.concat([
    file({ name: "old", mtime: 999 }),
    file({ name: "new", mtime: 1000, mode: 0o750, uid: 12 }, "x".repeat(1500)),
    file({ name: "fraction", mtime: 1000, pax: xattr }),
    file({ name: long, mtime: 1000 }),
    file({ name: "access", mtime: 3, pax: { ctime: "2" } }),
    tarEnd,
  ]);
  for (const size of [1, 511, 512, 700, 100_000]) expect((await rewritten(before, clamp, { size })).equals(after)).toBe(true);
  expect((await rewritten(after, clamp)).equals(after)).toBe(true);
  expect((await rewritten(before, (time) => time)).equals(before)).toBe(true);
  expect((await rewritten(before, clamp, { open: true })).equals(after.subarray(0, -tarEnd.byteLength))).toBe(true);
});

test("a record that is only the time goes, header and all", async () => {
  const before = Buffer.concat([file({ name: "soup", mtime: 5000.25 }), tarEnd]);
  expect((await rewritten(before, clamp)).equals(Buffer.concat([file({ name: "soup", mtime: 1000 }), tarEnd]))).toBe(true);
});

test("a tar that breaks off, and records that are none, are DATA_LOSS", async () => {
  const whole = Buffer.concat([file({ name: long, mtime: 4000 }), tarEnd]);
  await expect(rewritten(whole.subarray(0, 700), clamp)).rejects.toMatchObject({ code: "DATA_LOSS" });
  const damaged = Buffer.from(whole);
  damaged.write("zz", 512);
  await expect(rewritten(damaged, clamp)).rejects.toMatchObject({ code: "DATA_LOSS" });
});
