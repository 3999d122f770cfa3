import { readFileSync } from "node:fs";
import { RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { ifPresent, storeError } from "../src/errors.ts";

const errno = (code: string) => Object.assign(new Error(code), { code, syscall: "mkdir", path: "/store/l/0" });

test("what the file system says gets a code of ours, with the path and the cause", () => {
  const error = storeError("/store", errno("ENOSPC"));
  expect(error).toMatchObject({ code: "RESOURCE_EXHAUSTED", message: "snapshot store: mkdir /store/l/0: ENOSPC" });
  expect(storeError("/store", errno("EROFS"))).toMatchObject({ code: "PERMISSION_DENIED" });
  expect(storeError("/store", errno("EXDEV"))).toMatchObject({ code: "INTERNAL" });
});

test("other errors stay as they are", () => {
  for (const error of [new RamekinError("NOT_FOUND", "no snapshot"), new TypeError("ours"), "text"])
    expect(storeError("/store", error)).toBe(error);
});

test("only absence is undefined", () => {
  expect(ifPresent(() => readFileSync("/no/such/file"))).toBeUndefined();
  expect(ifPresent(() => readFileSync("/proc/self/stat/file"))).toBeUndefined();
  expect(() => ifPresent(() => readFileSync("/"))).toThrow("EISDIR");
});
