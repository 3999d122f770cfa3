// A user with one id, no subordinate ids and no control group to write, on whatever control groups this machine has. For those with
// subordinate ids, and cgroup v2, see test/vm.
import { randomUUID } from "node:crypto";
import { chown, mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  busyboxImage,
  checkout,
  command,
  copyOf,
  eventually,
  missing,
  needs,
  noKitchen,
  processesOf,
  type Result,
  showCheckout,
  succeed,
} from "../support/index.ts";

const id = 54_321;
let shown: AsyncDisposable | undefined;
const folder = join(process.env["RAMEKIN_TEST_FOLDER"] ?? "/var/tmp", `user-${randomUUID()}`);
const absent = noKitchen ?? missing("setpriv", "mount", "umount");
let image = "";

beforeAll(async () => {
  if (absent) return;
  for (const name of ["repository", "home", "run"]) await mkdir(join(folder, name), { recursive: true });
  shown = await showCheckout(join(folder, "repository"));
  const busybox = await copyOf(await busyboxImage(), join(folder, "busybox"));
  await succeed(["chmod", "-R", "a+rX", busybox.folder]);
  for (const name of ["home", "run"]) await chown(join(folder, name), id, id);
  image = busybox.name;
  expect(await ramekin("load", "--input", busybox.folder)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  if (absent) return;
  await shown?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** As the user; the program that runs us, if it is of the repository, is found through the mount, too. */
function ramekin(...args: string[]): Promise<Result> {
  const inside = (path: string) => (path.startsWith(`${checkout}/`) ? join(folder, "repository", relative(checkout, path)) : path);
  const environment = [
    "env",
    "-i",
    `HOME=${join(folder, "home")}`,
    `XDG_RUNTIME_DIR=${join(folder, "run")}`,
    `PATH=${process.env["PATH"]}`,
    `RAMEKIN_NATIVE_DIR=${inside(process.env["RAMEKIN_NATIVE_DIR"] ?? join(checkout, ".cache/native"))}`,
  ];
  const program = [inside(process.execPath), inside(join(checkout, "packages/cli/dist/main.cjs"))];
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

test("another user's store, and a place where none can be made: no permission, and what to do", async () => {
  needs(absent);
  await mkdir(join(folder, "closed"), { mode: 0o700 });
  for (const [root, said] of [
    ["closed/store", "cannot open the store"],
    ["store", "cannot make the store"],
  ] as const) {
    const at = ["--root", join(folder, root), "--runroot", join(folder, "run")];
    const message = new RegExp(`^ramekin: ${said} ${join(folder, root)}.*\nhint: .*--root`);
    expect(await ramekin(...at, "ps")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
    expect(await ramekin(...at, "run", "--rm", image, "true")).toMatchObject({ code: 125, stderr: expect.stringMatching(message) });
  }
  expect(await readdir(join(folder, "closed"))).toEqual([]);
});

test("[PLF-3] a limit without a control group to put it in is refused, not ignored", async () => {
  needs(absent);
  const { code, stderr } = await ramekin("run", "--rm", "--memory", "64m", image, "true");
  expect(code).toBe(125);
  expect(stderr).toMatch(/cannot limit memory: control groups are not writable here\nhint: /);
  expect((await ramekin("ps", "-aq")).stdout).toBe("");
});

test("[PLF-1] [VOL-1] [VOL-5] [CTR-8] volumes, secrets and cp, without root", async () => {
  needs(absent);
  const made = await ramekin(
    "run",
    "--name",
    "volumes",
    "-v",
    "pantry:/shelf",
    "-v",
    "/nameless",
    image,
    "sh",
    "-c",
    "echo thyme > /shelf/herb; echo x > /nameless/x",
  );
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const read = await ramekin(
    "run",
    "--rm",
    "--volumes-from",
    "volumes:ro",
    image,
    "sh",
    "-c",
    "cat /shelf/herb /nameless/x; touch /shelf/y",
  );
  expect(read).toMatchObject({ code: 1, stdout: "thyme\nx\n" });
  const out = join(folder, "home", "herb");
  expect(await ramekin("cp", "volumes:/shelf/herb", out)).toMatchObject({ code: 0, stderr: "" });
  expect((await succeed(["stat", "-c", "%u", out])).stdout.trim()).toBe(String(id));
  expect(await ramekin("cp", out, "volumes:/tmp/herb")).toMatchObject({ code: 0, stderr: "" });
  expect((await ramekin("cp", "volumes:/tmp/herb", "-")).stdout).toContain("thyme");
  expect(await ramekin("rm", "-v", "volumes")).toMatchObject({ code: 0 });
  expect((await ramekin("volume", "ls", "-q")).stdout).toBe("pantry\n");
  expect(await ramekin("volume", "rm", "pantry")).toMatchObject({ code: 0 });
  expect(await ramekin("secret", "create", "key", out)).toMatchObject({ code: 0 });
  expect(
    await ramekin("run", "--rm", "--secret", "key", "--secret", "key,type=env", image, "sh", "-c", "cat /run/secrets/key; echo $key"),
  ).toMatchObject({
    code: 0,
    stdout: "thyme\nthyme\n",
  });
  expect(await ramekin("run", "-d", "--name", "live", image, "sleep", "100")).toMatchObject({ code: 0 });
  expect(await ramekin("cp", out, "live:/tmp/herb")).toMatchObject({ code: 0, stderr: "" });
  expect(await ramekin("exec", "live", "cat", "/tmp/herb")).toMatchObject({ stdout: "thyme\n" });
  expect(await ramekin("rm", "-f", "live")).toMatchObject({ code: 0 });
  expect(await ramekin("secret", "rm", "key")).toMatchObject({ code: 0 });
  const mounted = await ramekin("run", "--rm", "--mount", `type=image,source=${image},target=/i`, image, "cat", "/i/etc/plain");
  expect(mounted).toMatchObject({ code: 0, stdout: "not a program\n" });
  expect((await ramekin("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "memory")).code).toBe(0);
  expect((await ramekin("run", "--rm", "-v", "memory:/m", image, "true")).stderr).toContain("takes root");
  expect(await ramekin("volume", "rm", "memory")).toMatchObject({ code: 0 });
});

test("[CTR-5] [CTR-6] restart policies and health checks", async () => {
  needs(absent);
  const twice = ["run", "-d", "--name", "fails", "--restart", "on-failure:2", image, "sh", "-c", "echo run; exit 3"];
  expect(await ramekin(...twice)).toMatchObject({ code: 0 });
  await eventually(async () =>
    expect((await ramekin("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", "fails")).stdout).toBe("2 exited\n"),
  );
  expect((await ramekin("logs", "fails")).stdout).toBe("run\nrun\nrun\n");
  const checked = [
    "run",
    "-d",
    "--name",
    "checked",
    "--health-cmd",
    "true",
    "--health-interval",
    "100ms",
    "--wait",
    "healthy",
    "--wait-timeout",
    "30s",
  ];
  expect(await ramekin(...checked, image, "sleep", "1000")).toMatchObject({ code: 0 });
  expect(await ramekin("rm", "-f", "fails", "checked")).toMatchObject({ code: 0 });
});
