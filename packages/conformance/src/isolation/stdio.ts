import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Case } from "../suite.ts";
import { collect, create, created, eventually, finish, idle, rejects, run, started, text, type, until, wiring } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

export const stdio: readonly Case<IsolationFixture>[] = [
  {
    name: "stdout and stderr are kept apart",
    async run(fixture) {
      const { stdout, stderr } = await run(fixture, "echo out; echo err >&2; echo put");
      assert.deepEqual([stdout, stderr], ["out\nput\n", "err\n"]);
    },
  },
  {
    name: "no byte of much output is lost or changed",
    async run(fixture) {
      const size = 48 << 20;
      // The sum goes the other way, at the same time: neither stream may hold the other up.
      const { id } = await created(
        fixture,
        `head -c ${size} /dev/urandom > /tmp/data; sha256sum < /tmp/data >&2; cat /tmp/data; sha256sum < /tmp/data >&2`,
      );
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      const hash = createHash("sha256");
      let seen = 0;
      const [sums] = await Promise.all([
        text(attachment.stderr ?? assert.fail("no stderr")),
        (async () => {
          for await (const part of attachment.stdout) {
            hash.update(part);
            seen += part.length;
          }
        })(),
      ]);
      assert.equal(seen, size);
      assert.deepEqual(
        sums
          .split("\n")
          .map((line) => line.split(" ")[0])
          .filter(Boolean),
        Array(2).fill(hash.digest("hex")),
      );
    },
  },
  {
    name: "output right before the exit arrives, every time",
    async run(fixture) {
      for (let round = 0; round < 10; round++) {
        const { stdout, stderr } = await run(fixture, `echo ${round}; echo last >&2; exit 1`);
        assert.deepEqual([stdout, stderr], [`${round}\n`, "last\n"]);
      }
    },
  },
  {
    name: "a process that closes its output goes on",
    async run(fixture) {
      const { exit, stdout } = await run(fixture, "echo before; exec >&- 2>&-; sleep 0.2; exit 4");
      assert.deepEqual([exit.code, stdout], [4, "before\n"]);
    },
  },
  {
    name: "a grandchild that keeps the output open does not keep the container from ending",
    async run(fixture) {
      const { exit, stdout } = await run(fixture, "sleep 1000 & echo done; exit 6");
      assert.deepEqual([exit.code, stdout], [6, "done\n"]);
    },
  },
  {
    name: "stdin once: what is written arrives, closing it is end of file",
    async run(fixture) {
      const { stdout, exit } = await run(fixture, "cat; echo end", { stdin: "some\ninput" });
      assert.deepEqual([stdout, exit.code], ["some\ninputend\n", 0]);
    },
  },
  {
    name: "stdin once: the end of the attachment is end of file",
    async run(fixture) {
      const { id } = await created(fixture, "cat > /tmp/in; wc -c < /tmp/in; exit 8", { io: { stdin: "once" } });
      const attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      await attachment.stdin.getWriter().write(Buffer.from("abc"));
      await attachment.detach();
      assert.equal((await fixture.backend.wait(id)).code, 8);
    },
  },
  {
    name: "stdin open: waits for the next attachment",
    async run(fixture) {
      const { id } = await created(fixture, "read a; read b; echo $a $b; cat", { io: { stdin: "open" } });
      const first = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      await first.stdin.getWriter().write(Buffer.from("one\n"));
      await first.detach();
      await using second = await fixture.backend.attach(id);
      const writer = second.stdin.getWriter();
      await writer.write(Buffer.from("two\n"));
      await until(second.stdout[Symbol.asyncIterator](), /one two\n/);
      assert.equal((await fixture.backend.state(id))?.status, "running");
      await writer.close();
      assert.equal((await fixture.backend.wait(id)).code, 0);
    },
  },
  {
    name: "stdin closed: end of file at once, and nothing can be written",
    async run(fixture) {
      const { id } = await created(fixture, "cat; echo end");
      await using attachment = await fixture.backend.attach(id);
      await rejects(type(attachment, "x"), "FAILED_PRECONDITION");
      await fixture.backend.start(id);
      assert.equal((await collect(attachment)).stdout, "end\n");
    },
  },
  {
    name: "much input arrives whole, though the process reads slowly",
    async run(fixture) {
      const line = "0123456789abcdef".repeat(64);
      const input = `${line}\n`.repeat(4096);
      const { stdout } = await run(fixture, "sleep 0.3; sha256sum", { stdin: input });
      assert.equal(stdout.split(" ")[0], createHash("sha256").update(input).digest("hex"));
    },
  },
  {
    name: "what is typed after the end loses nothing of the output",
    async run(fixture) {
      const { id } = await created(fixture, "sleep 0.2; echo said", { io: { stdin: "open" } });
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      // Nothing is taken from the connection meanwhile: all that was said is still in it when this is written.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
      await type(attachment, "too late").catch(() => {});
      assert.equal(await text(attachment.stdout), "said\n");
    },
  },
  {
    name: "all attachments get the output from when they came",
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await created(fixture, "echo 1; read x; echo 2", { io: { stdin: "open" } });
      await using first = await backend.attach(id);
      await backend.start(id);
      const reader = first.stdout[Symbol.asyncIterator]();
      await until(reader, /1\n/);
      await using second = await fixture.again().attach(id);
      await second.stdin.getWriter().write(Buffer.from("\n"));
      await until(reader, /2\n/);
      assert.equal(await text(second.stdout), "2\n");
    },
  },
  {
    name: "detach leaves the process running, its output unread",
    async run(fixture) {
      const { id } = await created(fixture, "echo 1; sleep 0.3; yes | head -c 1048576; exit 3");
      const attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      await until(attachment.stdout[Symbol.asyncIterator](), /1\n/);
      await attachment.detach();
      assert.equal((await fixture.backend.state(id))?.status, "running");
      assert.equal((await fixture.backend.wait(id)).code, 3);
    },
  },
  {
    name: "nobody attached: the output holds nothing up",
    async run(fixture) {
      const { id } = await started(fixture, "yes | head -c 4194304; exit 2");
      assert.equal((await fixture.backend.wait(id)).code, 2);
    },
  },
  {
    name: "an attachment that is not read slows the process, and loses nothing",
    async run(fixture) {
      const size = 24 << 20;
      const { id } = await created(fixture, `yes | head -c ${size}; exit 5`);
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      await new Promise((done) => setTimeout(done, 500));
      assert.equal((await fixture.backend.state(id))?.status, "running", "it waits for its reader");
      let seen = 0;
      for await (const part of attachment.stdout) seen += part.length;
      assert.equal(seen, size);
      assert.equal((await fixture.backend.wait(id)).code, 5);
    },
  },
  {
    name: "attaching to what has ended is refused",
    async run(fixture) {
      const { id } = await created(fixture, "true");
      await finish(fixture, id);
      await rejects(fixture.backend.attach(id), "FAILED_PRECONDITION");
    },
  },
  {
    name: "the json-file log has every line, with its stream and time, attached or not",
    async run(fixture) {
      const bundle = await fixture.bundle(["sh", "-c", "echo out; echo err >&2; printf 'no break \\303\\244'"]);
      const path = `${bundle.scratch}/log.json`;
      await create(fixture, bundle, { io: wiring({ log: { type: "json-file", path } }) });
      const { stdout } = await finish(fixture, bundle.id);
      assert.equal(stdout, "out\nno break ä");
      const records = (await readFile(path, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const of = (stream: string) =>
        records
          .filter((record) => record.stream === stream)
          .map(({ log }) => log)
          .join("");
      assert.deepEqual([of("stdout"), of("stderr")], ["out\nno break ä", "err\n"]);
      assert.ok(
        records.every(({ time }) => Math.abs(Date.parse(time) - Date.now()) < 60_000),
        JSON.stringify(records),
      );
    },
  },
  {
    name: "a terminal: all three are it, of the size asked for",
    async run(fixture) {
      const script = "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo tty; stty size; echo err >&2";
      const { stdout, stderr } = await run(fixture, script, { io: { terminal: true }, consoleSize: { height: 40, width: 100 } });
      assert.deepEqual([stdout, stderr], ["tty\r\n40 100\r\nerr\r\n", ""]);
    },
  },
  {
    name: "a terminal is the controlling one: a typed interrupt is a signal",
    async run(fixture) {
      const { id } = await created(fixture, "trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.05; done", {
        io: { terminal: true, stdin: "open" },
      });
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      const reader = attachment.stdout[Symbol.asyncIterator]();
      await until(reader, /ready/);
      await attachment.stdin.getWriter().write(Uint8Array.of(3));
      await until(reader, /interrupted/);
      assert.equal((await fixture.backend.wait(id)).code, 7);
    },
  },
  {
    name: "resize sets the size and sends SIGWINCH",
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await created(fixture, "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done", { io: { terminal: true } });
      await using attachment = await backend.attach(id);
      await backend.start(id);
      const reader = attachment.stdout[Symbol.asyncIterator]();
      await until(reader, /ready/);
      await backend.resize(id, { rows: 30, columns: 90 });
      await until(reader, /30 90/);
      await attachment.resize({ rows: 31, columns: 91 });
      await until(reader, /31 91/);
    },
  },
  {
    name: "resizing what has no terminal is refused",
    async run(fixture) {
      const { id } = await idle(fixture);
      await rejects(fixture.backend.resize(id, { rows: 1, columns: 1 }), "FAILED_PRECONDITION");
    },
  },
  {
    name: "a second attachment to a terminal sees it, and types into it",
    async run(fixture) {
      const { id } = await created(fixture, 'echo up; read line; echo "got $line"', { io: { terminal: true, stdin: "open" } });
      await using first = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      const reader = first.stdout[Symbol.asyncIterator]();
      await until(reader, /up/);
      await using second = await fixture.again().attach(id);
      await second.stdin.getWriter().write(Buffer.from("typed\n"));
      await until(reader, /got typed/);
      await eventually("the end", async () => (await fixture.backend.state(id))?.status === "stopped");
    },
  },
];
