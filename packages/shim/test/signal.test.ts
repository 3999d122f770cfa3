import type { Signal } from "@ramekin/core";
import { expect, test } from "vitest";
import { signalNumber } from "../src/index.ts";

test.each<[Signal, number]>([
  ["SIGHUP", 1],
  ["SIGKILL", 9],
  ["SIGTERM", 15],
  ["SIGWINCH", 28],
  ["SIGRTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["SIGRTMAX-1", 63],
  ["SIGRTMAX", 64],
])("%s is %i", (name, number) => expect(signalNumber(name)).toBe(number));

test.each(["SIGNONE", "SIGRTMIN+31", "SIGRTMAX-31", "TERM"])("%s is refused", (name) => {
  expect(() => signalNumber(name as Signal)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
