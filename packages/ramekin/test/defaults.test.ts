import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { announced, modules } from "../src/defaults.ts";
import type { Announced } from "../src/lazy.ts";

const scratch = mkdtempSync(join(tmpdir(), "ramekin-defaults-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const absent = () => Promise.reject(new Error("not in this test"));
const context = { root: scratch, runRoot: scratch, signal: new AbortController().signal, warn: () => {}, use: absent, useAll: absent };

test.for(Object.entries(announced))("%s provides what is announced, and nothing else", async ([name, extensions]) => {
  const load = modules[name];
  expect(load).toBeDefined();
  const plugin = (await (load as NonNullable<typeof load>)()).default();
  expect(plugin.name).toBe(name);
  expect(plugin.hooks, "hooks of a lazy plugin would never be called").toBeUndefined();
  const provided = Object.entries(plugin.provides ?? {}).flatMap(([kind, providers]) =>
    Object.entries(providers).map(([extension, provider]) => ({
      kind,
      name: extension,
      ...(provider.for !== undefined && { for: provider.for }),
    })),
  );
  const sorted = (list: readonly object[]) => list.map((entry) => JSON.stringify(entry)).sort();
  expect(sorted(provided)).toEqual(sorted(extensions.map(({ maxRank: _, ...rest }: Announced) => rest)));
});

test.for(
  Object.entries(announced).flatMap(([plugin, extensions]) =>
    extensions.filter(({ maxRank }) => maxRank !== undefined).map((extension) => ({ plugin, ...extension })),
  ),
)("$name has no higher rank than is announced", async ({ plugin, kind, name, maxRank }) => {
  const provider = (await (modules[plugin] as () => Promise<{ default: () => import("@ramekin/core").Plugin }>)()).default().provides?.[
    kind
  ]?.[name];
  const support = await (async () => provider?.probe?.(context))().catch(() => undefined); // what cannot be probed here has no rank here
  if (support?.ok) expect(support.rank ?? 0).toBeLessThanOrEqual(maxRank as number);
});

test("every driver among the dependencies is announced", () => {
  const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const libraries = ["builder", "core", "engine", "native", "oci"];
  const drivers = Object.keys(dependencies)
    .map((name) => name.replace("@ramekin/", ""))
    .filter((name) => !libraries.includes(name));
  expect(drivers.sort()).toEqual(Object.keys(announced).sort());
});

test("making an engine loads no driver", () => {
  const source = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { createRamekin } = await import(${JSON.stringify(fileURLToPath(new URL("../src/index.ts", import.meta.url)))});
    await using engine = await createRamekin({ root: "/nonexistent", runRoot: "/nonexistent" });
    console.log(JSON.stringify(loaded.filter((url) => url.includes("/plugins/"))));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=ramekin-source", "--input-type=module", "-e", source], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([]);
});
