// What a stranger gets: the packages as they are published, in a folder with nothing else, no checkout and no compiler.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { checkout, command, missing, succeed, useKitchen } from "../support/index.ts";

const built = [
  "packages/cli/dist/main.cjs",
  "packages/ramekin/dist/index.js",
  "packages/ramekin/hello/index.json",
  ".cache/native/build.json",
];
const absent = built.find((path) => !existsSync(join(checkout, path)));
let unreachable: string | undefined;

const here = useKitchen(async () => ({}), missing("npm", "npx") ?? (absent && `not built: ${absent}`));
const folder = () => join(here().folder, "stranger");
/** Nothing of it outside the kitchen, nor of Node's cache of compiled modules. */
const env = () => ({ TMPDIR: folder(), NODE_COMPILE_CACHE: String(here().env["NODE_COMPILE_CACHE"]) });
/** There, as somebody who has never heard of this checkout, and without a network. */
const there = (argv: readonly string[]) => {
  const all: NodeJS.ProcessEnv = { ...process.env, ...here().env, npm_config_offline: "true" };
  const { RAMEKIN_NATIVE_DIR: _, ...environment } = all;
  return command(["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), ...argv], { cwd: folder() });
};
const read = async (...path: string[]) => JSON.parse(await readFile(join(folder(), ...path, "package.json"), "utf8"));

beforeAll(async () => {
  if (missing("npm", "npx") ?? absent) return;
  const archives = join(here().folder, "archives");
  await mkdir(folder());
  await writeFile(join(folder(), "package.json"), JSON.stringify({ private: true, type: "module" }));
  const { packageManager } = JSON.parse(await readFile(join(checkout, "package.json"), "utf8"));
  await succeed(["npx", "--yes", packageManager, "--recursive", "pack", "--pack-destination", archives], { cwd: checkout, env: env() });
  const packed = (await readdir(archives)).map((name) => join(archives, name));
  // What others have made comes from npm's cache, or its registry.
  const install = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=0", ...packed];
  const { code, stderr } = await command(install, { cwd: folder(), env: env(), timeout: 120_000 });
  unreachable = /code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED)/.exec(stderr)?.[1];
  if (code !== 0 && unreachable === undefined) throw new Error(stderr);
});
const registry = () => (unreachable === undefined ? undefined : `npm's registry cannot be reached: ${unreachable}`);

test("what is installed names versions, is licensed, and brings the native parts along", async ({ skip }) => {
  if (registry()) skip(registry());
  const scoped = (await readdir(join(folder(), "node_modules/@ramekin"))).map((name) => `node_modules/@ramekin/${name}`);
  expect(scoped.length).toBeGreaterThan(25);
  for (const place of ["node_modules/ramekin", ...scoped]) {
    const { version, license, dependencies, optionalDependencies, private: hidden } = await read(place);
    expect({ version, license, hidden }, place).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), license: "Apache-2.0" });
    expect(
      Object.values({ ...dependencies, ...optionalDependencies }).filter((range) => !/^\d/.test(String(range))),
      place,
    ).toEqual([]);
    expect(await readdir(join(folder(), place)), place).toContain("LICENSE");
  }
});

test("npx ramekin run", async ({ skip }) => {
  if (registry()) skip(registry());
  const { code, stdout, stderr } = await there(["npx", "ramekin", "run", "--rm", "ramekin/hello"]);
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: expect.stringMatching(/hello/i) });

  const parts = join(folder(), "node_modules/@ramekin/native-linux-x64");
  await rename(parts, `${parts}-away`);
  const refused = await there(["npx", "ramekin", "run", "--rm", "ramekin/hello"]);
  await rename(`${parts}-away`, parts);
  expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("install @ramekin/native-linux-x64") });
});

test('a program that imports "ramekin" has its types, and runs', async ({ skip }) => {
  if (registry()) skip(registry());
  const readme = await readFile(join(folder(), "node_modules/ramekin/README.md"), "utf8");
  const program = `${/^```ts\n(.*?)^```$/ms.exec(readme)?.[1]}\nprocess.exitCode = code;\n`;
  expect(program).toContain('from "ramekin"');
  await writeFile(join(folder(), "program.ts"), program);
  const options = { strict: true, noEmit: true, module: "nodenext", target: "es2023", lib: ["es2024", "esnext.disposable"] };
  const compilerOptions = { ...options, types: [join(checkout, "node_modules/@types/node")] };
  await writeFile(join(folder(), "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const [checked, ran] = await Promise.all([
    there([process.execPath, join(checkout, "node_modules/typescript/bin/tsc")]),
    there([process.execPath, "program.ts"]),
  ]);
  expect(checked).toMatchObject({ code: 0, stdout: "" });
  expect(ran).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/hello/i) });
});
