import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

/** The modules of Node itself that one command line loads, beyond those that every process has. */
async function builtinsOf(...args: string[]): Promise<string[]> {
  const hook = join(here().folder, "hook.cjs");
  const list = join(here().folder, "builtins.json");
  await writeFile(
    hook,
    `const { writeFileSync } = require("node:fs");
    const before = new Set(process.moduleLoadList);
    const list = () => process.moduleLoadList.filter((each) => !before.has(each)).map((each) => each.replace("NativeModule ", ""));
    process.on("exit", () => writeFileSync(${JSON.stringify(list)}, JSON.stringify(list())));`,
  );
  await here().output(args, { env: { NODE_OPTIONS: `--require ${hook}` } });
  return JSON.parse(await readFile(list, "utf8"));
}

/** Each would cost every start milliseconds, node:crypto alone 6 of them. */
const expensive = [
  "crypto",
  "http",
  "https",
  "http2",
  "inspector",
  "internal/crypto/webcrypto",
  "internal/deps/undici/undici",
  "readline",
  "tls",
  "worker_threads",
  "zlib",
];

describe("of Node's own modules", () => {
  test.each([["run", "--rm", "busybox", "true"], ["ps"], ["images"], ["version"]])("%s loads no expensive one", async (...args) => {
    const loaded = await builtinsOf(...args);
    expect(loaded).toContain("stream");
    expect(loaded.filter((each) => expensive.includes(each))).toEqual([]);
  });

  test("load does, and the list shows it", async () => {
    const { folder } = await busyboxImage();
    expect(await builtinsOf("load", "--quiet", "--input", folder)).toContain("crypto");
  });
});
