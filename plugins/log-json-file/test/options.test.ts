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
  expect(rotation({ "max-size": text })).toEqual({ maxBytes: bytes });
});

test("without max-size, or with -1, nothing is rotated", () => {
  expect(rotation({})).toEqual({});
  expect(rotation({ "max-size": "-1" })).toEqual({});
  expect(rotation({ "max-size": "1m", "max-file": "3" })).toEqual({ maxBytes: 1_000_000, maxFiles: 3 });
});

test.for([
  { "max-size": "" },
  { "max-size": "0" },
  { "max-size": "10x" },
  { "max-size": "1m", "max-file": "0" },
  { "max-file": "3" },
  { compress: "true" },
])("%o is refused", (options) => {
  expect(() => rotation(options as unknown as Record<string, string>)).toThrow(
    expect.toSatisfy((error) => isRamekinError(error, "INVALID_ARGUMENT")),
  );
});
