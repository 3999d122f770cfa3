import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attachment, ByteStream } from "@ramekin/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { attachTo } from "../src/attachment.ts";
import { request } from "../src/connection.ts";
import { controlFrame, frameHeader, frameReader, type Message } from "../src/frame.ts";

/** The other end of the protocol, played by hand: what is tested is our end, byte by byte. */
let directory: string;
let server: ReturnType<typeof createServer>;
let peer: (socket: Socket, message: Message) => void;
let written: Buffer[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ramekin-shim-test-"));
  written = [];
  server = createServer((socket) => {
    const take = frameReader({ data: (_, bytes) => written.push(Buffer.from(bytes)), control: (message) => peer(socket, message) });
    socket.on("data", take).on("error", () => {});
  });
  await new Promise<void>((done) => server.listen(join(directory, "sock"), done));
});
afterEach(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

const out = (to: 2 | 3, bytes: Uint8Array) => Buffer.concat([frameHeader(to, bytes.length), bytes]);
const text = async (stream: ByteStream) => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
};
const play = (...frames: (Uint8Array | Message)[]) => {
  peer = (socket) => {
    for (const frame of frames) socket.write(frame instanceof Uint8Array ? frame : controlFrame(frame));
  };
};
const ok = { ok: { terminal: false, stdin: "open" } };
const exit = { exit: { code: 0, exitedAt: "2026-01-01T00:00:00Z" } };

test("stdout and stderr are apart and end, and the exit ends both", async () => {
  play(ok, out(2, Buffer.from("a")), out(3, Buffer.from("b")), out(2, Buffer.from("c")), { eof: "stdout" }, exit);
  await using attachment = await attachTo(directory, undefined);
  expect(await Promise.all([text(attachment.stdout), text(attachment.stderr as ByteStream)])).toEqual(["ac", "b"]);
});

test("a terminal has no stderr", async () => {
  play({ ok: { terminal: true } }, exit);
  expect((await attachTo(directory, undefined)).stderr).toBeUndefined();
});

test("a supervisor that dies is an error, after what it had sent", async () => {
  peer = (socket) => {
    socket.write(controlFrame(ok));
    socket.end(out(2, Buffer.from("half")));
  };
  const attachment = await attachTo(directory, undefined);
  const seen: string[] = [];
  await expect(
    (async () => {
      for await (const part of attachment.stdout) seen.push(Buffer.from(part).toString());
    })(),
  ).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(seen.join("")).toBe("half");
});

test("the supervisor's error, its hint too, rejects", async () => {
  play({ error: { code: "NOT_FOUND", message: "no process x", hint: "look" } });
  await expect(attachTo(directory, "x")).rejects.toMatchObject({ code: "NOT_FOUND", message: "no process x", hint: "look" });
  play({ error: { code: "EBADCODE", message: "odd" } });
  await expect(request(directory, { op: "state" })).rejects.toMatchObject({ code: "INTERNAL", message: "odd" });
});

/** Sends without end, as fast as it is let, and counts. */
function flood(to: 2 | 3, total = Number.POSITIVE_INFINITY) {
  const count = { sent: 0 };
  const frame = out(to, Buffer.alloc(1 << 16));
  peer = (socket) => {
    socket.write(controlFrame(ok));
    const more = () => {
      while (count.sent < total && !socket.destroyed) {
        count.sent += 1 << 16;
        if (!socket.write(frame)) return;
      }
      if (count.sent >= total && !socket.destroyed) socket.write(controlFrame(exit));
    };
    socket.on("drain", more);
    more();
  };
  return count;
}
const settle = () => new Promise((done) => setTimeout(done, 200));

test("nobody reads: the process is held back, and goes on when somebody does", async () => {
  const count = flood(2, 16 << 20);
  const attachment = await attachTo(directory, undefined);
  await settle();
  const held = count.sent;
  expect(held).toBeLessThan(8 << 20);
  let seen = 0;
  for await (const part of attachment.stdout) seen += part.length;
  expect(seen).toBe(16 << 20);
});

test("a reader of stdout alone is not held up by stderr, which says that it was dropped", async () => {
  const noise = out(3, Buffer.alloc(1 << 20));
  play(ok, ...Array.from({ length: 12 }, () => noise), out(2, Buffer.from("late")), exit);
  await using attachment = await attachTo(directory, undefined);
  expect(await text(attachment.stdout)).toBe("late");
  await expect(text(attachment.stderr as ByteStream)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});

test("what fits the bound is kept for a reader who comes later", async () => {
  play(ok, out(3, Buffer.alloc(1 << 20, "e")), out(3, Buffer.alloc(1 << 20, "e")), out(2, Buffer.from("late")), exit);
  await using attachment = await attachTo(directory, undefined);
  expect(await text(attachment.stdout)).toBe("late");
  expect(await text(attachment.stderr as ByteStream)).toHaveLength(2 << 20);
});

test("a slow reader loses nothing while another waits", async () => {
  const count = flood(2, 12 << 20);
  await using attachment = await attachTo(directory, undefined);
  const errors = text(attachment.stderr as ByteStream);
  const reader = attachment.stdout[Symbol.asyncIterator]();
  let seen = (await reader.next()).value?.length ?? 0;
  await settle();
  expect(count.sent).toBeLessThan(12 << 20);
  for (let next = await reader.next(); !next.done; next = await reader.next()) seen += next.value.length;
  expect(seen).toBe(12 << 20);
  expect(await errors).toBe("");
});

test("what a reader left is dropped and does not hold the other up", async () => {
  play(ok, out(2, Buffer.from("first")), ...Array.from({ length: 8 }, () => out(2, Buffer.alloc(1 << 20))), out(3, Buffer.from("e")), exit);
  await using attachment = await attachTo(directory, undefined);
  for await (const part of attachment.stdout) if (part.length > 0) break;
  expect(await text(attachment.stderr as ByteStream)).toBe("e");
});

async function write(attachment: Attachment, ...chunks: string[]) {
  const writer = attachment.stdin.getWriter();
  for (const chunk of chunks) await writer.write(Buffer.from(chunk));
  return writer;
}

test("stdin arrives in frames, and its end as a message", async () => {
  const messages: Message[] = [];
  peer = (socket, message) => {
    messages.push(message);
    if (messages.length === 1) socket.write(controlFrame(ok));
    if (message["eof"]) socket.write(controlFrame(exit));
  };
  const attachment = await attachTo(directory, undefined);
  const writer = await write(attachment, "a".repeat(3 << 20), "end");
  await attachment.resize({ rows: 24, columns: 80 });
  await writer.close();
  await text(attachment.stdout);
  expect(Buffer.concat(written).toString()).toBe(`${"a".repeat(3 << 20)}end`);
  expect(messages).toEqual([{ v: 1, op: "attach" }, { resize: { rows: 24, columns: 80 } }, { eof: "stdin" }]);
});

test("a process that does not read holds the writer back", async () => {
  peer = (socket) => {
    socket.write(controlFrame(ok));
    socket.pause();
  };
  await using attachment = await attachTo(directory, undefined);
  const writer = attachment.stdin.getWriter();
  let done = 0;
  const all = (async () => {
    for (let n = 0; n < 64; n++) {
      await writer.write(new Uint8Array(1 << 20));
      done++;
    }
  })();
  all.catch(() => {});
  await settle();
  expect(done).toBeLessThan(4);
});

test.each<[string, Message[]]>([
  ["closed from the start", [{ ok: { terminal: false, stdin: "closed" } }]],
  ["closed by the process", [ok, { eof: "stdin" }]],
  ["after the end", [ok, exit]],
])("writing to stdin rejects: %s", async (_, frames) => {
  play(...frames);
  await using attachment = await attachTo(directory, undefined);
  await settle();
  await expect(write(attachment, "x")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});

test("detach ends the streams and leaves the process alone", async () => {
  let closed = false;
  peer = (socket, message) => {
    socket.write(controlFrame(ok));
    socket.on("close", () => {
      closed = true;
    });
    expect(message).toEqual({ v: 1, op: "attach", exec: "e" });
  };
  const attachment = await attachTo(directory, "e");
  const reading = text(attachment.stdout);
  await attachment.detach();
  await attachment.detach();
  expect(await reading).toBe("");
  await settle();
  expect(closed).toBe(true);
  expect(written).toEqual([]);
});

test("an abort rejects with CANCELLED, before and while waiting", async () => {
  peer = () => {};
  const abort = new AbortController();
  const waiting = [request(directory, { op: "wait" }, { signal: abort.signal }), attachTo(directory, undefined, abort.signal)];
  setTimeout(() => abort.abort(), 50);
  for (const call of waiting) await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(request(directory, { op: "wait" }, { signal: abort.signal })).rejects.toMatchObject({ code: "CANCELLED" });
});

test("a path longer than a socket's may be", async () => {
  const deep = join(directory, "d".repeat(120));
  server.close();
  server = createServer((socket) => socket.on("data", () => socket.write(controlFrame({ ok: { fine: true } }))));
  await mkdir(deep);
  process.chdir(deep);
  await new Promise<void>((done) => server.listen("sock", done));
  process.chdir(tmpdir());
  expect(await request(deep, { op: "state" })).toEqual({ fine: true });
});

test("nobody there is told apart from somebody who left", async () => {
  await expect(request(join(directory, "none"), { op: "state" })).rejects.toMatchObject({ name: "Gone", accepted: false });
  peer = (socket) => socket.destroy();
  await expect(request(directory, { op: "wait" })).rejects.toMatchObject({ name: "Gone", accepted: true });
});
