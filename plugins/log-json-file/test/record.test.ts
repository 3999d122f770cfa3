import { expect, test } from "vitest";
import { jsonRecords } from "../src/record.ts";

const time = "2026-01-02T03:04:05.123456789Z";
const of = (text: string) => {
  const record = jsonRecords()(Buffer.from(text));
  return record && { ...record, line: Buffer.from(record.line).toString("latin1"), time: record.time.toISOString() };
};
const record = (line: string, more = {}) => ({ line, stream: "stdout", time: "2026-01-02T03:04:05.123Z", nanoseconds: 456_789, ...more });

test.for([
  [`{"log":"plain\\n","stream":"stdout","time":"${time}"}`, record("plain")],
  [`{"log":"\\n","stream":"stdout","time":"${time}"}`, record("")],
  [`{"log":"","stream":"stdout","time":"${time}"}`, record("", { partial: true })],
  [`{"log":"go","stream":"stderr","time":"${time}"}`, record("go", { stream: "stderr", partial: true })],
  // an escaped backslash and an n are no line break
  [`{"log":"a\\\\n","stream":"stdout","time":"${time}"}`, record("a\\n", { partial: true })],
  [`{"log":"a\\"b\\u003c\\n","stream":"stdout","time":"${time}"}`, record('a"b<')],
  // text that looks like the rest of a record
  [
    `{"log":"\\",\\"stream\\":\\"stderr\\",\\"time\\":\\"x\\n","stream":"stdout","time":"${time}"}`,
    record('","stream":"stderr","time":"x'),
  ],
  [`{"log":"\ufffd\\n","stream":"stdout","raw":"/wo=","time":"${time}"}`, record("\u00ff")],
  [`{"log":"a\\n","stream":"stdout","attrs":{"k":"v"},"time":"${time}"}`, record("a", { attributes: { k: "v" } })],
  [`{"stream":"stdout","time":"${time}","log":"other order\\n"}`, record("other order")],
  [`{"log":"no time\\n","stream":"stdout","time":"soon"}`, undefined],
  [`{"log":"cut","stream":"stdout","ti`, undefined],
  ["", undefined],
  ["{}", undefined],
] as const)("%s", ([text, expected]) => {
  expect(of(text)).toEqual(expected);
});

test("times that change within a log are told apart", () => {
  const parse = jsonRecords();
  const at = (second: number) =>
    parse(Buffer.from(`{"log":"x\\n","stream":"stdout","time":"2026-01-02T03:04:0${second}Z"}`))?.time.getTime();
  expect([at(1), at(1), at(2), at(1)].map((found) => (found ?? 0) - Date.parse("2026-01-02T03:04:00Z"))).toEqual([1000, 1000, 2000, 1000]);
});
