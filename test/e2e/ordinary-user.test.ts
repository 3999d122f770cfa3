// A user with one id, no subordinate ids and no control group to write, on whatever control groups this machine has. For those with
// subordinate ids, and cgroup v2, see test/vm.
import { randomUUID } from "node:crypto";
import { chown, mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage, command, copyOf, missing, needs, noKitchen, processesOf, type Result, succeed } from "../support/index.ts";

const id = 54_321;
const repository = join(import.meta.dirname, "../..");
const folder = join(process.env["RAMEKIN_TEST_FOLDER"] ?? "/var/tmp", `user-${randomUUID()}`);
const absent = noKitchen ?? missing("setpriv", "mount", "umount");
let image = "";

beforeAll(async () => {
  if (absent) return;
  for (const name of ["repository", "home", "run"]) await mkdir(join(folder, name), { recursive: true });
  // A bind mount is reached without the directories above the repository, which may be closed to others.
  await succeed(["mount", "--bind", repository, join(folder, "repository")]);
  const busybox = await copyOf(await busyboxImage(), join(folder, "busybox"));
  await succeed(["chmod", "-R", "a+rX", busybox.folder]);
  for (const name of ["home", "run"]) await chown(join(folder, name), id, id);
  image = busybox.name;
  expect(await ramekin("load", "--input", busybox.folder)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  if (absent) return;
  await succeed(["umount", join(folder, "repository")]);
  await rm(folder, { recursive: true, force: true });
});

/** As the user; the program that runs us, if it is of the repository, is found through the mount, too. */
function ramekin(...args: string[]): Promise<Result> {
  const inside = (path: string) => (path.startsWith(`${repository}/`) ? join(folder, "repository", relative(repository, path)) : path);
  const environment = [
    "env",
    "-i",
    `HOME=${join(folder, "home")}`,
    `XDG_RUNTIME_DIR=${join(folder, "run")}`,
    `PATH=${process.env["PATH"]}`,
    `RAMEKIN_NATIVE_DIR=${inside(process.env["RAMEKIN_NATIVE_DIR"] ?? join(repository, ".cache/native"))}`,
  ];
  const program = [inside(process.execPath), inside(join(repository, "packages/cli/dist/main.cjs"))];
  return command(["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", ...environment, ...program, ...args], { cwd: folder });
}

test("[PLF-1] runs, execs into and removes a container", async () => {
  needs(absent);
  expect(await ramekin("run", "--rm", image, "sh", "-c", "id -u; echo kept > /file; cat /file; exit 7")).toMatchObject({
    code: 7,
    stdout: "0\nkept\n",
  });
  expect(await ramekin("run", "-d", "--name", "box", image, "sleep", "1000")).toMatchObject({ code: 0 });
  expect(await ramekin("exec", "box", "cat", "/proc/1/comm")).toMatchObject({ code: 0, stdout: "sleep\n" });
  expect((await ramekin("ps", "--format", "{{.Names}} {{.Status}}")).stdout).toMatch(/^box Up /);
  expect(await ramekin("stop", "-t", "1", "box")).toMatchObject({ code: 0, stdout: "box\n" });
  expect(await ramekin("rm", "box")).toMatchObject({ code: 0, stdout: "box\n" });
  expect(await processesOf(folder)).toEqual([]);
});

test("[PLF-1] no such program is 127, and leaves nothing", async () => {
  needs(absent);
  expect(await ramekin("run", "--rm", image, "no-such-program")).toMatchObject({ code: 127 });
  expect((await ramekin("ps", "-aq")).stdout).toBe("");
});

test("[PLF-3] a limit without a control group to put it in is refused, not ignored", async () => {
  needs(absent);
  const { code, stderr } = await ramekin("run", "--rm", "--memory", "64m", image, "true");
  expect(code).toBe(125);
  expect(stderr).toMatch(/cannot limit memory: control groups are not writable here\nhint: /);
  expect((await ramekin("ps", "-aq")).stdout).toBe("");
});
