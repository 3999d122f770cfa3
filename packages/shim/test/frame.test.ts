import { expect, test } from "vitest";
import { channel, controlFrame, frameHeader, frameReader, type Message } from "../src/frame.ts";

function read(chunks: readonly Uint8Array[]) {
  const data: [number, string][] = [];
  const control: Message[] = [];
  const take = frameReader({
    data: (from, bytes) => data.push([from, Buffer.from(bytes).toString()]),
    control: (message) => control.push(message),
  });
  for (const chunk of chunks) take(chunk);
  const joined = new Map<number, string>();
  for (const [from, text] of data) joined.set(from, (joined.get(from) ?? "") + text);
  return { joined: Object.fromEntries(joined), control };
}

const frame = (to: 1 | 2 | 3, text: string) => Buffer.concat([frameHeader(to, text.length), Buffer.from(text)]);
const bytes = Buffer.concat([
  controlFrame({ ok: {} }),
  frame(channel.stdout, "out"),
  frame(channel.stderr, ""),
  frame(channel.stderr, "err"),
  frame(channel.stdout, "put"),
  controlFrame({ exit: { code: 0 } }),
]);

test.each([1, 2, 3, 4, 5, 6, 7, 11, 1000])("chunks of %i bytes make the same frames", (size) => {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  expect(read(chunks)).toEqual({ joined: { 2: "output", 3: "err" }, control: [{ ok: {} }, { exit: { code: 0 } }] });
});

test("the pieces of a frame are the chunk's own memory", () => {
  const chunk = frame(channel.stdout, "abc");
  let piece: Uint8Array | undefined;
  frameReader({
    data: (_, part) => {
      piece = part;
    },
    control() {},
  })(chunk);
  expect(piece?.buffer).toBe(chunk.buffer);
});

test.each([
  ["a frame above the limit", Buffer.from([0, 0x10, 0, 1, 2])],
  ["control that is not JSON", Buffer.from([0, 0, 0, 1, 0, 0x7b])],
  ["control that is no object", Buffer.from([0, 0, 0, 4, 0, ...Buffer.from("null")])],
])("%s is refused", (_, chunk) => {
  expect(() => read([chunk])).toThrow(expect.objectContaining({ code: "DATA_LOSS" }));
});
