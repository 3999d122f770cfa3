import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const setup = (name: string) => fileURLToPath(new URL(`../setup/${name}.mjs`, import.meta.url));
const { step } = await import(setup("step"));
const { run } = await import(setup("run"));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ramekin-setup-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a step says. */
function listener() {
  const lines: string[] = [];
  return { lines, write: (line: string) => lines.push(line.trimEnd()) };
}

test("a step says what it does, where it is and how long it took; done once, it is skipped until something changes", async () => {
  const made = join(folder, "made");
  const say = listener();
  const options = {
    folder: join(folder, "stamps"),
    say,
    interval: 20,
    present: () => existsSync(made),
    work: async (onLine: (line: string) => void) => {
      writeFileSync(made, "");
      await run("sh", ["-c", "echo Compiling one; sleep 0.2; echo Compiling two >&2; sleep 0.2"], { quiet: true, onLine });
    },
  };
  expect(await step("building", { ...options, print: "1" })).toBe(true);
  expect(say.lines[0]).toBe("ramekin: building …");
  expect(say.lines).toContainEqual(expect.stringMatching(/^ramekin: {3}0 s: Compiling one$/));
  expect(say.lines).toContainEqual(expect.stringMatching(/^ramekin: {3}\d s: Compiling two$/));
  expect(say.lines.at(-1)).toMatch(/^ramekin: building: done in \d\.\d s$/);

  const count = say.lines.length;
  expect(await step("building", { ...options, print: "1" })).toBe(false);
  expect(say.lines).toHaveLength(count);
  expect(await step("building", { ...options, print: "2" })).toBe(true);
  rmSync(made);
  expect(await step("building", { ...options, print: "2" })).toBe(true);
});

test("a step that fails is not done, and ends what it says", async () => {
  const options = { folder, say: listener(), interval: 5, print: "1" };
  await expect(step("failing", { ...options, work: () => Promise.reject(new Error("no")) })).rejects.toThrow("no");
  expect(await step("failing", { ...options, work: async () => {} })).toBe(true);
});

test("system packages: without root the exact command is named, and what is there is not asked for", ({ skip }) => {
  if (!existsSync("/usr/bin/dpkg-query")) return skip("not a Debian system");
  const program = `
    const { systemPackages } = await import(${JSON.stringify(setup("packages"))});
    for (const required of [false, true])
      await systemPackages(["dpkg", "no-such-package-x"], { required }).catch((error) => console.log(error.constructor.name, error.message));`;
  // In a user namespace without a map: nobody, who may read what we may.
  const nobody = ["--user", process.execPath, "--input-type=module", "-e", program];
  if (spawnSync("unshare", ["--user", "true"]).status !== 0) return skip("no user namespaces");
  const { stdout, stderr } = spawnSync("unshare", nobody, { encoding: "utf8" });
  const message =
    "these Debian packages are missing; install them with:\n  sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends no-such-package-x'\n";
  expect({ stdout, stderr }).toEqual({ stdout: `SetupError ${message}`, stderr: `ramekin: ${message}` });
});

test("system packages: root installs what is missing, and what apt-get says of a failure is told", ({ skip }) => {
  if (!existsSync("/usr/bin/dpkg-query")) return skip("not a Debian system");
  if (process.getuid?.() !== 0) return skip("not root");
  const said = join(folder, "apt-get-was-told");
  // Of the machine nothing is changed: this one stands before apt-get.
  const stand = `#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> ${said}\ncase $* in *-broken*) echo "E: Unable to locate package" >&2; exit 100; esac\n`;
  writeFileSync(join(folder, "apt-get"), stand, { mode: 0o755 });
  const program = `
    const { systemPackages } = await import(${JSON.stringify(setup("packages"))});
    for (const name of ["no-such-package-x", "no-such-package-broken"])
      await systemPackages(["dpkg", name], { required: true }).catch((error) => console.log(error.constructor.name, error.message));`;
  const PATH = `${folder}:${process.env["PATH"]}`;
  // The pinned Node's folder would come first: the program is given by its path.
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env: { PATH } });
  const install = "noninteractive install --yes --no-install-recommends";
  const update = "noninteractive update";
  expect(readFileSync(said, "utf8").trimEnd().split("\n")).toEqual([
    update,
    `${install} no-such-package-x`,
    update,
    `${install} no-such-package-broken`,
  ]);
  expect(stdout).toBe("SetupError apt-get failed:\nE: Unable to locate package\n\n");
  expect(stderr).toMatch(/^ramekin: installing 1 Debian packages \(no-such-package-x\) …\nramekin: installing 1 .*: done in \d+\.\d s\n/);
});
