import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { type ErrorCode, isRamekinError, type LogDriver, type LogReadOptions, type LogRecord } from "@ramekin/core";
import { recordBytes, writeRecords } from "./log/supervisor.ts";
import type { Suite } from "./suite.ts";

const id = "a".repeat(64);
const other = "b".repeat(64);
const start = Date.parse("2026-01-02T03:04:05.000Z");

/** The n-th record of a container that writes one a second. */
const record = (n: number, rest: Partial<LogRecord> = {}): LogRecord => ({
  time: new Date(start + n * 1000),
  stream: "stdout",
  line: Buffer.from(`line ${n}`),
  ...rest,
});
const some = (count: number) => Array.from({ length: count }, (_, n) => record(n));

async function write(driver: LogDriver, records: readonly LogRecord[], options: Readonly<Record<string, string>> = {}, container = id) {
  await writeRecords(await driver.writer({ containerId: container, options }), records);
}

async function read(driver: LogDriver, options: LogReadOptions = {}, container = id): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const found of driver.read?.(container, options) ?? []) records.push(found);
  return records;
}

const plain = ({ time, stream, line, partial }: LogRecord) => [
  time.toISOString(),
  stream,
  Buffer.from(line).toString("latin1"),
  partial ?? false,
];
const same = (found: readonly LogRecord[], expected: readonly LogRecord[]) => assert.deepEqual(found.map(plain), expected.map(plain));
const rejects = (promise: Promise<unknown>, code: ErrorCode) => assert.rejects(promise, (error) => isRamekinError(error, code));
/** Small enough for a handful of records a file, and more files than the records of a case fill: nothing is dropped. */
const rotating = { "max-size": "200", "max-file": "9" };

export const logSuite: Suite<LogDriver> = {
  kind: "log",
  cases: [
    {
      name: "the writer's specification is data",
      async run(driver) {
        const spec = await driver.writer({ containerId: id, options: {} });
        assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
        assert.deepEqual(await driver.writer({ containerId: id, options: {} }), spec);
      },
    },
    {
      name: "each container has its own log",
      async run(driver) {
        const [one, two] = [
          await driver.writer({ containerId: id, options: {} }),
          await driver.writer({ containerId: other, options: {} }),
        ];
        if ("path" in one && "path" in two) assert.notEqual(one.path, two.path);
      },
    },
    {
      name: "an unknown option is refused",
      async run(driver) {
        await rejects((async () => driver.writer({ containerId: id, options: { "no-such-option": "1" } }))(), "INVALID_ARGUMENT");
      },
    },
    {
      name: "records come back in order, with stream, time and bytes",
      needs: ["read"],
      async run(driver) {
        const records = [
          record(0),
          record(1, { stream: "stderr" }),
          record(2, { line: Buffer.from("") }),
          record(3, { line: Buffer.from('"{ü}"\t') }),
        ];
        await write(driver, records);
        same(await read(driver), records);
      },
    },
    {
      name: "bytes that are no text come back as they were",
      needs: ["read"],
      async run(driver) {
        const records = [record(0, { line: Buffer.from([0xff, 0x00, 0xc3, 0x28]) })];
        await write(driver, records);
        same(await read(driver), records);
      },
    },
    {
      name: "a line in pieces is marked",
      needs: ["read"],
      async run(driver) {
        const records = [record(0, { partial: true }), record(1)];
        await write(driver, records);
        same(await read(driver), records);
      },
    },
    {
      name: "reading what was never written gives nothing",
      needs: ["read"],
      async run(driver) {
        same(await read(driver), []);
      },
    },
    {
      name: "a record that is being written is not given yet",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(1));
        const spec = await driver.writer({ containerId: id, options: {} });
        if (spec.type === "json-file" || spec.type === "local")
          await appendFile(spec.path, recordBytes(spec.type, record(1)).subarray(0, -2));
        same(await read(driver), some(1));
      },
    },
    {
      name: "tail gives the last ones",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(5));
        same(await read(driver, { tail: 2 }), some(5).slice(3));
        same(await read(driver, { tail: 0 }), []);
        same(await read(driver, { tail: 9 }), some(5));
      },
    },
    {
      name: "many at a time are the same, and as few as were asked for",
      needs: ["readBatches"],
      async run(driver) {
        const all = Array.from({ length: 20_000 }, (_, n) => record(n % 50, { line: Buffer.from(`line ${n}`) }));
        const spec = await driver.writer({ containerId: id, options: {} });
        if (spec.type !== "json-file" && spec.type !== "local") return;
        await writeRecords(spec, all.slice(0, 1));
        const { type } = spec;
        await appendFile(spec.path, Buffer.concat(all.slice(1).map((each) => recordBytes(type, each))));
        for (const tail of [undefined, 3]) {
          const found: LogRecord[] = [];
          for await (const batch of driver.readBatches?.(id, tail === undefined ? {} : { tail }) ?? []) found.push(...batch);
          const wanted = tail === undefined ? all : all.slice(-tail);
          // Only the first that is not the same is shown: to compare twenty thousand for a message takes gigabytes.
          const first = wanted.findIndex((each, n) => found[n] === undefined || !isDeepStrictEqual(plain(found[n]), plain(each)));
          if (first >= 0) same(found.slice(first, first + 1), wanted.slice(first, first + 1));
          assert.equal(found.length, wanted.length);
        }
      },
    },
    {
      name: "since and until bound the time",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(6));
        same(await read(driver, { since: record(2).time, until: record(4).time }), some(6).slice(2, 5));
      },
    },
    {
      name: "rotation hides nothing that is kept",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(12), rotating);
        same(await read(driver), some(12));
        same(await read(driver, { tail: 7 }), some(12).slice(5));
      },
    },
    {
      name: "follow gives what comes, and ends with the container",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(2));
        const ended = Promise.withResolvers<void>();
        const seen = read(driver, { follow: true, ended: ended.promise });
        await write(driver, [record(2)]);
        await new Promise((done) => setTimeout(done, 120));
        await write(driver, [record(3)]);
        ended.resolve();
        same(await seen, some(4));
      },
    },
    {
      name: "follow goes on through rotation",
      needs: ["read"],
      async run(driver) {
        const ended = Promise.withResolvers<void>();
        const seen = read(driver, { follow: true, ended: ended.promise });
        for (let n = 0; n < 12; n++) {
          await write(driver, [record(n)], rotating);
          if (n % 5 === 0) await new Promise((done) => setTimeout(done, 80));
        }
        ended.resolve();
        same(await seen, some(12));
      },
    },
    {
      name: "follow ends with its signal",
      needs: ["read"],
      async run(driver) {
        await write(driver, some(1));
        const controller = new AbortController();
        const seen = read(driver, { follow: true, signal: controller.signal });
        setTimeout(() => controller.abort(), 60);
        await rejects(Promise.race([seen, new Promise((done) => setTimeout(done, 3000))]), "CANCELLED");
      },
    },
    {
      name: "remove takes this container's log and no other",
      needs: ["read", "remove"],
      async run(driver) {
        await write(driver, some(12), rotating);
        await write(driver, some(1), {}, other);
        await driver.remove?.(id);
        same(await read(driver), []);
        same(await read(driver, {}, other), some(1));
      },
    },
    {
      name: "remove of what is not there is a no-op",
      needs: ["remove"],
      async run(driver) {
        await driver.remove?.(id);
        await driver.remove?.(id);
      },
    },
  ],
};
