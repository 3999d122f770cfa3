// The README's two commands, in this checkout, as a stranger types them: with the Node of the machine.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, checkout, command, missing, useKitchen } from "../support/index.ts";

// What was built by hand has no stamps: `npm start` would build it once more, beside all other tests.
const absent =
  missing("npm", "node", "cargo") ?? (existsSync(join(checkout, ".cache/setup")) ? undefined : "not set up by npm start or npm test");
const here = useKitchen(async () => ({ images: [await busyboxImage()] }), absent);

/** Without what the pinned Node, pnpm and the runner of these tests have added. */
const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
const plain = () => {
  // Rust's tools and npm's cache lie in the real home.
  const own = Object.entries({ ...process.env, ...here().env, HOME: homedir(), PATH: path.join(delimiter) });
  const env = own.filter(([name]) => !/^(?:npm_|RAMEKIN_NATIVE_DIR|RAMEKIN_TEST|VITEST|NODE_OPTIONS|INIT_CWD)/.test(name));
  return ["env", "-i", ...env.map(([name, value]) => `${name}=${value}`)];
};
const npm = (args: readonly string[], cwd = here().folder) =>
  command([...plain(), "npm", "--prefix", checkout, "--silent", ...args], { cwd, timeout: 120_000 });

test("npm start runs the embedded image; what has been set up is neither done again nor spoken of", async () => {
  const { code, stdout, stderr } = await npm(["start"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/hello/i);
  expect(stdout).toContain("npm start -- run");
  expect(await here().output(["ps", "-aq"])).toBe("");
});

test("npm start -- ARGS is ramekin ARGS: output, exit status and the directory it is typed in", async () => {
  await writeFile(join(here().folder, "dish"), "soup\n");
  const script = "cat /dish; echo burnt >&2; exit 7";
  expect(await npm(["start", "--", "run", "--rm", "-v", "./dish:/dish", "busybox", "sh", "-c", script])).toMatchObject({
    code: 7,
    stdout: "soup\n",
    stderr: "burnt\n",
  });
  expect(await npm(["start", "--", "fry"])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("fry") });
});

test("whatever Node the machine has, ramekin has the one that package.json names", async () => {
  const { node } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")).devDependencies;
  expect((await npm(["start", "--", "version"])).stdout).toMatch(new RegExp(`Node version: +v${node}\n`));
});

const script = (program: string) => [process.execPath, join(checkout, "scripts", program)];

test.each(["start.mjs", "test.mjs"])("%s: without Rust, or with a Node that is too old, one line says what to install", async (program) => {
  const bare = join(here().folder, `bare-${program}`);
  await mkdir(bare);
  await symlink(process.execPath, join(bare, "node"));
  const noRust = await command(["env", "-i", `PATH=${bare}`, ...script(program)]);
  expect(noRust).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "ramekin: cargo was not found: Ramekin's core is written in Rust; install it with rustup (stable), then try again\n",
  });

  const old = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.19.1'}})";
  const [node = "", main = ""] = script(program);
  expect(await command([...plain(), node, "--import", `data:text/javascript,${encodeURIComponent(old)}`, main])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "ramekin: Node 18.19.1 is too old: version 20 or later is needed to set up\n",
  });
});
