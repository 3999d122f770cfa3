// What README.md and examples/ say that a program may do, done.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CommandOptions, command, useKitchen } from "../support/index.ts";

const repository = join(import.meta.dirname, "../..");
const here = useKitchen(async () => ({}));
const node = (args: readonly string[], options?: CommandOptions) =>
  command([process.execPath, "--conditions=ramekin-source", ...args], { cwd: join(repository, "test"), ...options, env: here().env });

/** The blocks of TypeScript in a page. */
async function blocks(page: string): Promise<string[]> {
  const text = await readFile(join(repository, page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}

test.each(["README.md", "packages/ramekin/README.md"])("the program in %s greets, and leaves nothing", async (page) => {
  const [program = ""] = await blocks(page);
  expect(program).toContain("createRamekin");
  const { code, stdout, stderr } = await node(["--input-type=module", "-e", `${program}\nprocess.exitCode = code;`]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/hello/i);
  expect(await here().output(["ps", "-aq"])).toBe("");
});

test("examples/embedding runs what it is given, within limits", async () => {
  const program = join(repository, "examples/embedding/run-untrusted.ts");
  const good = await node([program]);
  expect(good).toMatchObject({ code: 0, stderr: "" });
  expect(good.stdout).toMatch(/code: 0,\n {2}oomKilled: false,/);
  expect(good.stdout).toMatch(/hello/i);
  expect(await node([program, "ramekin/hello", "/no-such-program"])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^COMMAND_NOT_FOUND: .*no-such-program/),
  });
  expect(await here().output(["ps", "-aq"])).toBe("");
});

test("examples/plugin writes the log of a container where it says, also when the program has ended", async () => {
  const [program = ""] = await blocks("examples/plugin/README.md");
  const logs = join(here().folder, "tmp");
  const [beginning, end] = program
    .replace('"@ramekin/example-plugin"', JSON.stringify(join(repository, "examples/plugin/src/index.ts")))
    .replace('"/var/log/containers"', JSON.stringify(logs))
    .split("await engine.run");
  const { code, stdout, stderr } = await node([
    "--input-type=module",
    "-e",
    `${beginning}const container = await engine.run${end}\nawait container.wait();\nconsole.log(container.id);`,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const id = stdout.trim();
  const [first = ""] = (await readFile(join(logs, `${id}.log`), "utf8")).split("\n");
  expect(JSON.parse(first)).toMatchObject({ stream: "stdout", log: expect.any(String), time: expect.any(String) });
  // The command does not know this driver: only a program that does can remove what it has made.
  const removal = await node(["--input-type=module", "-e", `${beginning}await (await engine.container("${id}")).remove();`]);
  expect(removal).toMatchObject({ code: 0, stderr: "" });
  expect(await readdir(logs)).toEqual([]);
});
