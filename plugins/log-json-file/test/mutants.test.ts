import { logSuite, outcomes } from "@ramekin/conformance";
import { type LogDriver, type LogReadOptions, type LogRecord, RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { freshLog } from "./fresh.ts";

type Read = NonNullable<LogDriver["read"]>;
type Mutant = (right: LogDriver) => Partial<LogDriver>;

const reading =
  (
    change: (records: AsyncIterable<LogRecord>, options: LogReadOptions) => AsyncIterable<LogRecord>,
    amend = (options: LogReadOptions) => options,
  ): Mutant =>
  (right) => ({ read: (id, options = {}) => change((right.read as Read)(id, amend(options)), options) });
const each = (change: (record: LogRecord) => LogRecord): Mutant =>
  reading(async function* (records) {
    for await (const record of records) yield change(record);
  });

/** For each case, by name, one thing done wrong on top of a right driver. */
const mutants: Record<string, Mutant> = {
  "the writer's specification is data": (right) => ({
    writer: async (options) => ({ ...(await right.writer(options)), path: `/${Math.random()}` }) as never,
  }),
  "each container has its own log": () => ({ writer: () => ({ type: "json-file", path: "/tmp/one" }) }),
  "an unknown option is refused": (right) => ({ writer: ({ containerId }) => right.writer({ containerId, options: {} }) }),
  "records come back in order, with stream, time and bytes": each((record) => ({ ...record, stream: "stdout" })),
  "bytes that are no text come back as they were": each((record) => ({
    ...record,
    line: Buffer.from(Buffer.from(record.line).toString("utf8")),
  })),
  "a line in pieces is marked": each(({ partial: _, ...record }) => record),
  "reading what was never written gives nothing": (right) => ({
    read: async function* (id, options) {
      let none = true;
      for await (const record of (right.read as Read)(id, options)) {
        none = false;
        yield record;
      }
      if (none) throw new RamekinError("NOT_FOUND", "no log");
    },
  }),
  "a record that is being written is not given yet": reading(async function* (records) {
    let last: LogRecord | undefined;
    for await (const record of records) {
      last = record;
      yield record;
    }
    if (last) yield { ...last, partial: true };
  }),
  "tail gives the last ones": reading(
    async function* (records, { tail }) {
      let count = 0;
      for await (const record of records) if (tail === undefined || count++ < tail) yield record;
    },
    ({ tail: _, ...options }) => options,
  ),
  "many at a time are the same, and as few as were asked for": (right) => ({
    readBatches: async function* (id, { tail: _, ...options } = {}) {
      yield* right.readBatches?.(id, options) ?? [];
    },
  }),
  "since and until bound the time": reading(
    (records) => records,
    ({ until: _, ...options }) => options,
  ),
  "rotation hides nothing that is kept": reading(async function* (records) {
    const all: LogRecord[] = [];
    for await (const record of records) all.push(record);
    yield* all.slice(-3); // what the newest file holds
  }),
  "follow gives what comes, and ends with the container": reading(
    (records) => records,
    ({ follow: _, ...options }) => options,
  ),
  "follow goes on through rotation": reading(async function* (records) {
    let count = 0;
    for await (const record of records) if (count++ < 3) yield record;
  }),
  "follow ends with its signal": reading(
    (records) => records,
    ({ signal: _, ...options }) => ({ ...options, ended: new Promise((done) => setTimeout(done, 200)) }),
  ),
  "remove takes this container's log and no other": (right) => ({
    remove: async (id) => {
      await right.remove?.(id);
      await right.remove?.("b".repeat(64));
    },
  }),
  "remove of what is not there is a no-op": () => ({ remove: () => Promise.reject(new RamekinError("NOT_FOUND", "no log")) }),
};

test("every case has a mutant", () => {
  expect(Object.keys(mutants)).toEqual(logSuite.cases.map(({ name }) => name));
});

test.for(Object.entries(mutants))("a driver gone wrong fails: %s", async ([name, wrong]) => {
  const create = async () => {
    const driver = await freshLog();
    return { ...driver, ...wrong(driver) };
  };
  expect((await outcomes(logSuite, { create }, name))[name]).toBe("failed");
});
