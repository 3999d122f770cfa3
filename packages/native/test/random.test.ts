import { expect, test } from "vitest";
import { randomHex, randomUUID } from "../src/index.ts";

test("random bytes have the length asked for, and are others each time", () => {
  expect(randomHex(32)).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(Array.from({ length: 100 }, () => randomHex(6))).size).toBe(100);
});

test("a UUID is one of version 4, and another each time", () => {
  expect(randomUUID()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(randomUUID()).not.toBe(randomUUID());
});
