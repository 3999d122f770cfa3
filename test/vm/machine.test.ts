import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
const needed = ["qemu-system-x86_64", "cpio", "depmod", "mke2fs", "umoci", "busybox"];

function absentTools(): string[] {
  return needed.filter((tool) => spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`]).status !== 0);
}

/** Boots once, runs everything, and gives each check back as a line. */
async function boot(): Promise<{ lines: Line[]; log: string }> {
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
    const { stdout } = spawnSync(join(import.meta.dirname, "run-in-vm"), [root, "sh /vm/main.sh"], {
      encoding: "utf8",
      env: { ...process.env, MEM: "4096", LIMIT: "1800", CACHE: cache },
      maxBuffer: 64 << 20,
    });
    const lines = [...stdout.matchAll(/vm-(ok|not-ok|skip) (.*?)(?: # (.*))?$/gm)].map(
      ([, outcome, name = "", detail = ""]) => ({ outcome, name, detail }) as Line,
    );
    return { lines, log: stdout };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const absent = absentTools();
const { lines, log } = absent.length > 0 ? { lines: [], log: "" } : await boot();

test("the machine ran every script to its end", (context) => {
  if (absent.length > 0) return context.skip(`not installed: ${absent.join(", ")}`);
  const count = (part: string) => lines.filter(({ name }) => name.includes(part)).length;
  expect(count("v2:"), log.slice(-4000)).toBeGreaterThan(60);
  expect(count("with subordinate ids"), log.slice(-4000)).toBe(13);
  expect(count("without subordinate ids"), log.slice(-4000)).toBe(13);
});

for (const { outcome, name, detail } of lines) {
  test(name, (context) => {
    if (outcome === "skip") return context.skip(detail);
    expect(outcome, detail).toBe("ok");
  });
}
