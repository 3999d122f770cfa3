import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addon, nativeParts, nativeProgram, nativeSupport, type PartName } from "../src/index.ts";
import { scratch } from "./support.ts";

const index = new URL("../src/index.ts", import.meta.url).href;

/** In a process of its own: what is found is found once. */
function evaluate(body: string, directory: string): string {
  const program = `const native = await import(${JSON.stringify(index)}); ${body}`;
  const args = ["--conditions=ramekin-source", "--input-type=module", "-e", program];
  return execFileSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, RAMEKIN_NATIVE_DIR: directory } }).trim();
}

test("every part says the same build id", () => {
  const { buildId } = nativeParts();
  expect(buildId).toMatch(/^[0-9a-f]{16}$/);
  expect(addon().buildId()).toBe(buildId);
  for (const name of ["ramekin-rootfs", "ramekin-shim", "ramekin-launcher", "ramekin-init"] satisfies PartName[]) {
    expect(execFileSync(nativeProgram(name), ["--build-id"], { encoding: "utf8" }).trim()).toBe(buildId);
  }
  expect(nativeSupport()).toEqual({ ok: true });
});

test("parts that are not there are missed by the first call, with a hint, not by the import", () => {
  const directory = join(scratch(), "absent");
  const body = `const s = native.nativeSupport(); console.log(JSON.stringify([s.ok, /was not found/.test(s.reason), /build/.test(s.hint)]));`;
  expect(JSON.parse(evaluate(body, directory))).toEqual([false, true, true]);
});

test("parts of two builds refuse each other", () => {
  const directory = scratch();
  for (const name of ["ramekin.node", "ramekin-rootfs"] satisfies PartName[]) copyFileSync(nativeProgram(name), join(directory, name));
  writeFileSync(join(directory, "build.json"), JSON.stringify({ id: "0123456789abcdef" }));
  expect(evaluate("console.log(native.nativeSupport().reason)", directory)).toMatch(/is of build/);
  const usage = `await native.usage("/").catch((error) => console.log(error.code, error.message))`;
  expect(evaluate(usage, directory)).toMatch(/^UNSUPPORTED .* is of build/);
});

test("a part that crashes is told, with what it said", () => {
  const directory = scratch();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "ramekin-rootfs"), "#!/bin/sh\necho broken >&2\nexit 3\n", { mode: 0o755 });
  const body = `await native.usage("/").catch((error) => console.log(error.code, error.message))`;
  expect(evaluate(body, directory)).toBe("INTERNAL ramekin-rootfs usage ended with status 3: broken");
});
