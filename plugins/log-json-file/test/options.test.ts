import { isRamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
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
])("%o is refused", (options) => {
  expect(() => rotation("json-file", options as unknown as Record<string, string>)).toThrow(
    expect.toSatisfy((error) => isRamekinError(error, "INVALID_ARGUMENT")),
  );
});

test("what rotation cannot do is refused as such, and all of it at once", () => {
  expect(() => rotation("json-file", { compress: "true" })).toThrow(expect.toSatisfy((error) => isRamekinError(error, "UNSUPPORTED")));
  expect(() => rotation("json-file", { mode: "non-blocking" })).toThrow(expect.toSatisfy((error) => isRamekinError(error, "UNSUPPORTED")));
  expect(rotation("json-file", { compress: "false", mode: "blocking" })).toEqual({});
  expect(() => rotation("json-file", { foo: "1", "max-size": "x", "max-file": "0" })).toThrow("3 things are wrong");
});
