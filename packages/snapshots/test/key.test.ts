import { expect, test } from "vitest";
import { checkKey, fileName } from "../src/key.ts";

test("names are file names, and readable where they can be", () => {
  expect(fileName("sha256:0f")).toBe("sha256:0f");
  expect(fileName("a/b c")).toBe("a%2fb%20c");
  expect(fileName("..")).toBe("%2e.");
  expect(fileName("ü")).toBe("%c3%bc");
});

test("another key has another name", () => {
  const keys = [
    "a",
    "A",
    "%61",
    "a%",
    ".a",
    "=a",
    "/".repeat(255),
    "x".repeat(255),
    "x".repeat(254),
    "/".repeat(254),
    `${"/".repeat(254)}.`,
  ];
  const names = keys.map(fileName);
  expect(new Set(names).size).toBe(keys.length);
  for (const name of names) {
    expect(name).not.toMatch(/\/|\0|^\.+$/);
    expect(Buffer.byteLength(name)).toBeLessThan(256);
  }
});

test("what is no key is refused with the reason", () => {
  expect(() => checkKey("")).toThrow(`snapshot key "" is empty`);
  expect(() => checkKey("x".repeat(256))).toThrow("longer than 255 bytes");
  expect(() => checkKey("\udfff")).toThrow("not well-formed");
});
