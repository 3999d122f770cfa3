import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isolationSuite, storageSuite } from "@ramekin/conformance";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { busyboxLayout } from "./busybox.ts";
import { makeRoot } from "./root.ts";

/** One check that ran in the virtual machine. */
interface Line {
  readonly outcome: "ok" | "not-ok" | "skip";
  readonly name: string;
  readonly detail: string;
}

const repository = join(import.meta.dirname, "..", "..");
/** A whole kernel on emulated processors is slow: it gets the few checks of the command; the suites run on one that is a process. */
const machines = {
  "run-in-vm": { parts: ["cgroup2"], memory: 3072, limit: 1200 },
  "run-in-uml": { parts: ["suites", "users"], memory: 3500, limit: 2400 },
} as const;
const needed = ["qemu-system-x86_64", "cpio", "depmod", "mke2fs", "umoci", "busybox"];

function absentTools(): string[] {
  return needed.filter((tool) => spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`]).status !== 0);
}

interface Run {
  readonly lines: readonly Line[];
  readonly log: string;
}

/** Boots both, runs everything, and gives each check back as a line. */
async function boot(): Promise<Run> {
  // Not a name of ours: the leak test, which runs meanwhile, would find it.
  const scratch = mkdtempSync(join(tmpdir(), "virtual-machine-"));
  try {
    const root = join(scratch, "root");
    mkdirSync(root);
    const inside = join(scratch, "inside");
    cpSync(join(import.meta.dirname, "inside"), inside, { recursive: true });
    await build({
      entryPoints: {
        suites: join(import.meta.dirname, "inside", "suites.ts"),
        "serve-overlayfs": join(repository, "plugins", "storage-overlayfs", "test", "serve.ts"),
      },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      conditions: ["ramekin-source"],
      outdir: inside,
      outExtension: { ".js": ".mjs" },
      banner: { js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);' },
      logLevel: "error",
    });
    busyboxLayout(scratch, join(inside, "busybox"));
    makeRoot({
      directory: root,
      node: process.execPath,
      cli: join(repository, "packages", "cli"),
      native: join(repository, ".cache", "native"),
      files: { vm: inside },
    });
    const cache = join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "/root", ".cache"), "ramekin", "vm");
    mkdirSync(cache, { recursive: true });
    const runs = await Promise.all(Object.keys(machines).map((name) => runIn(name as keyof typeof machines, root, cache)));
    return { lines: runs.flatMap(({ lines }) => lines), log: runs.map(({ log }) => log.slice(-4000)).join("\n") };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function runIn(name: keyof typeof machines, root: string, cache: string): Promise<Run> {
  const { parts, memory, limit } = machines[name];
  const env = { ...process.env, MEM: `${memory}`, LIMIT: `${limit}`, CACHE: cache };
  const program = join(import.meta.dirname, name);
  // Its exit status says no more than the lines do: whether all came is checked below.
  const log = await new Promise<string>((done) => {
    execFile(program, [root, `sh /vm/main.sh ${parts.join(" ")}`], { env, maxBuffer: 64 << 20 }, (_, stdout, stderr) =>
      done(stdout + stderr),
    );
  });
  const lines = [...log.matchAll(/vm-(ok|not-ok|skip) (.*?)(?: # (.*))?$/gm)].map(
    ([, outcome, what = "", detail = ""]) => ({ outcome, name: what, detail }) as Line,
  );
  return { lines, log };
}

/** How many checks a script has: one that breaks off must not pass for one that is done. */
const checksIn = (script: string) =>
  readFileSync(join(import.meta.dirname, "inside", script), "utf8").match(/^(?:passes|prints|ends|skips) /gm)?.length;

const absent = absentTools();
const { lines, log } = absent.length > 0 ? { lines: [], log: "" } : await boot();

test("the machine ran every script to its end", (context) => {
  if (absent.length > 0) return context.skip(`not installed: ${absent.join(", ")}`);
  const count = (part: string) => lines.filter(({ name }) => name.includes(part)).length;
  expect(count("v2: ") - count("v2: overlayfs") - count("v2: linux"), log).toBe(checksIn("cgroup2.sh"));
  expect(count("v2: overlayfs"), log).toBe(storageSuite.cases.length);
  expect(count("v2: linux"), log).toBe(isolationSuite.cases.length);
  expect(count("with subordinate ids"), log).toBe(checksIn("user.sh"));
  expect(count("without subordinate ids"), log).toBe(checksIn("user.sh"));
});

for (const { outcome, name, detail } of lines) {
  test(name, (context) => {
    if (outcome === "skip") return context.skip(detail);
    expect(outcome, detail).toBe("ok");
  });
}
