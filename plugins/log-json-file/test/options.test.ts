import { isRamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { localLog } from "../src/local.ts";
import { rotation } from "../src/options.ts";

test.for([
  ["512", 512],
  ["10k", 10_000],
  ["10m", 10_000_000],
  ["1.5g", 1_500_000_000],
  ["3MB", 3_000_000],
] as const)("max-size=%s is %d bytes", ([text, bytes]) => {
  expect(rotation("json-file", { "max-size": text })).toEqual({ maxBytes: bytes });
});

test("without max-size, or with -1, nothing is rotated", () => {
  expect(rotation("json-file", {})).toEqual({});
  expect(rotation("json-file", { "max-size": "-1" })).toEqual({});
  expect(rotation("json-file", { "max-size": "1m", "max-file": "3" })).toEqual({ maxBytes: 1_000_000, maxFiles: 3 });
});

test.for([
  { "max-size": "" },
  { "max-size": "0" },
  { "max-size": "10x" },
  { "max-size": "1m", "max-file": "0" },
  { "max-file": "3" },
  { labels: "a" },
  { compress: "true" },
  { compress: "true", "max-size": "1m" },
  { compress: "true", "max-size": "1m", "max-file": "1" },
  { compress: "maybe", "max-size": "1m", "max-file": "2" },
])("%o is refused", (options) => {
  expect(() => rotation("json-file", options as unknown as Record<string, string>)).toThrow(
    expect.toSatisfy((error) => isRamekinError(error, "INVALID_ARGUMENT")),
  );
});

test("compress goes with rotation that leaves something", () => {
  expect(rotation("json-file", { "max-size": "1k", "max-file": "2", compress: "t" })).toEqual({
    maxBytes: 1000,
    maxFiles: 2,
    compress: true,
  });
  expect(rotation("json-file", { compress: "false" })).toEqual({});
});

test("local is rotated and compressed unless somebody says otherwise", async () => {
  const writer = (options: Record<string, string>) => localLog({ root: "/r" }).writer({ containerId: "a", options });
  const plain = { type: "local", path: "/r/a/a-local.log" };
  expect(await writer({})).toEqual({ ...plain, maxBytes: 20_000_000, maxFiles: 5, compress: true });
  expect(await writer({ compress: "false" })).toEqual({ ...plain, maxBytes: 20_000_000, maxFiles: 5 });
  expect(await writer({ "max-file": "1" })).toEqual({ ...plain, maxBytes: 20_000_000, maxFiles: 1 });
  expect(await writer({ "max-size": "-1" })).toEqual(plain);
});

test("all that is wrong is told at once", () => {
  expect(() => rotation("json-file", { foo: "1", "max-size": "x", "max-file": "0" })).toThrow("3 things are wrong");
});
