import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cacheDirectory } from "../src/cache-directory.ts";

const run = promisify(execFile);
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ramekin-code-cache-"));
  writeBundle("exports.answer = () => 41 + 1;");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const bundle = () => join(directory, "bundle.cjs");
const writeBundle = (source: string) => writeFileSync(bundle(), source);
const cached = () => readdirSync(join(directory, "cache", "ramekin"));

/** In a process of its own: the answer, and whether the cache was taken, which shows in that the process writes none. */
async function load({ use = "run", status = 0, environment = { NODE_COMPILE_CACHE: join(directory, "cache") } as NodeJS.ProcessEnv } = {}) {
  const module = join(import.meta.dirname, "../src/code-cache.ts");
  const program = `import { loadCached } from ${JSON.stringify(module)};
    const before = process.listenerCount("exit");
    const { answer } = loadCached(${JSON.stringify(bundle())}, ${JSON.stringify(use)});
    console.log(JSON.stringify({ answer: answer(), taken: process.listenerCount("exit") === before }));
    process.exitCode = ${status};`;
  const result = run(process.execPath, ["--input-type=module", "--eval", program], {
    env: { PATH: process.env["PATH"], NODE_OPTIONS: "", ...environment },
  });
  const { stdout } = await result.catch((error) => error);
  return JSON.parse(stdout);
}

describe("the code cache", () => {
  test("is written once and taken from then on", async () => {
    expect(await load()).toEqual({ answer: 42, taken: false });
    const [name] = cached();
    expect(cached()).toEqual([expect.stringMatching(`^run-${process.version}-${process.arch}\\.`)]);
    expect(statSync(join(directory, "cache/ramekin", name as string)).mode & 0o777).toBe(0o600);
    expect(await load()).toEqual({ answer: 42, taken: true });
  });

  test("is one per use", async () => {
    await load();
    expect(await load({ use: "ps" })).toEqual({ answer: 42, taken: false });
    expect(cached()).toHaveLength(2);
  });

  test("of another build is replaced", async () => {
    await load();
    writeBundle("exports.answer = () => 43;");
    expect(await load()).toEqual({ answer: 43, taken: false });
    expect(cached()).toHaveLength(1);
    expect(await load()).toEqual({ answer: 43, taken: true });
  });

  test("that is damaged is replaced", async () => {
    await load();
    const path = join(directory, "cache/ramekin", cached()[0] as string);
    for (const damaged of [Buffer.alloc(0), readFileSync(path).subarray(0, 100), Buffer.alloc(statSync(path).size)]) {
      writeFileSync(path, damaged);
      expect(await load()).toEqual({ answer: 42, taken: false });
      expect(await load()).toEqual({ answer: 42, taken: true });
    }
  });

  test("that others may write is not taken", async () => {
    await load();
    chmodSync(join(directory, "cache/ramekin", cached()[0] as string), 0o620);
    expect(await load()).toEqual({ answer: 42, taken: false });
  });

  test("is not written by a process that fails", async () => {
    await load({ status: 1 });
    expect(() => cached()).toThrow("ENOENT");
  });

  test("that cannot be written is done without", async () => {
    writeFileSync(join(directory, "cache"), "a file");
    expect(await load()).toEqual({ answer: 42, taken: false });
  });

  test("is nowhere when Node is told to have none", async () => {
    const environment = { NODE_DISABLE_COMPILE_CACHE: "1", NODE_COMPILE_CACHE: join(directory, "cache") };
    expect(await load({ environment })).toEqual({ answer: 42, taken: true });
    expect(readdirSync(directory)).toEqual(["bundle.cjs"]);
  });
});

describe("its directory", () => {
  test("is root's own, whatever HOME says", () => {
    expect(cacheDirectory({ HOME: "/home/alice", XDG_CACHE_HOME: "/home/alice/.cache" }, true)).toBe("/var/cache/ramekin");
  });

  test("is the user's own, and nowhere without one", () => {
    expect(cacheDirectory({ HOME: "/home/alice" }, false)).toBe("/home/alice/.cache/ramekin");
    expect(cacheDirectory({ HOME: "/home/alice", XDG_CACHE_HOME: "/caches" }, false)).toBe("/caches/ramekin");
    expect(cacheDirectory({ TMPDIR: "/tmp" }, false)).toBeUndefined();
  });
});
