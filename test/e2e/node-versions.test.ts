import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const require = createRequire(import.meta.url);
const main = join(import.meta.dirname, "../../packages/cli/dist/main.cjs");
const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

/** The oldest and the newest Node that we say we run on; all other tests run on 24. */
test.each([
  ["node-22", "v22.18.0"],
  ["node-26", "v26."],
])("[PLF-6] a container runs under %s", async (name, version) => {
  const node = join(dirname(require.resolve(`${name}/package.json`)), "bin", "node");
  const run = async (...args: string[]) => (await promisify(execFile)(node, args, { env: { ...process.env, ...here().env } })).stdout;
  expect(await run("--version")).toContain(version);
  expect(await run(main, "run", "--rm", "busybox", "echo", "served")).toBe("served\n");
  expect(await run(main, "images", "--quiet")).toMatch(/^[0-9a-f]{12}\n/);
});
