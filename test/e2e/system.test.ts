import { expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);

test("[version --format]", async () => {
  expect((await ramekin("version")).stdout).toMatch(/\d+\.\d+\.\d+/);
  expect((await ramekin("--version")).stdout).toMatch(/\d+\.\d+\.\d+/);
  expect((await ramekin("version", "--format", "json")).stdout).toMatch(/^\{.*\}\n$/);
});

test("[info --format] where things are, and what is used", async () => {
  const { stdout } = await ramekin("info");
  expect(stdout).toContain(here().root);
  expect((await ramekin("info", "--format", "json")).stdout).toMatch(/^\{.*\}\n$/);
  const { stdout: fields } = await ramekin(
    "info",
    "--format",
    "{{.CgroupDriver}} {{.DefaultRuntime}} {{json .SecurityOptions}} {{.OSType}}",
  );
  expect(fields).toMatch(/^(cgroupfs|none) linux \["name=seccomp,profile=builtin".*\] linux\n$/);
});

test("[doctor --json] every driver, whether it works here and why not", async () => {
  const { code, stdout } = await ramekin("doctor");
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/overlay/) });
  const report = JSON.parse((await ramekin("doctor", "--json")).stdout) as {
    drivers: { kind: string; name: string; ok: boolean; reason?: string }[];
  };
  const names = (kind: string) => report.drivers.flatMap((driver) => (driver.kind === kind ? [driver.name] : [])).sort();
  expect(names("storage")).toEqual(["overlayfs", "vfs"]);
  expect(names("isolation")).toEqual(["linux", "oci"]);
  expect(names("network")).toEqual(["host", "none"]);
  expect(names("codec")).toEqual(["native-gzip", "native-zstd", "node-gzip", "node-zstd", "program-bzip2", "program-xz", "wasm-gzip"]);
  for (const kind of ["content", "applier", "differ", "digester", "log", "registry", "transport"])
    expect(names(kind), kind).not.toEqual([]);
  for (const { name, ok, reason } of report.drivers) expect(ok || reason, name).toBeTruthy();
  for (const { name } of report.drivers) expect(stdout).toContain(name);
});

test("a typo in a verb: the right one is suggested", async () => {
  const { code, stderr } = await ramekin("rnu", "busybox");
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/\brun\b/);
});

test("an unknown flag: 125 from run, and its name", async () => {
  expect(await ramekin("run", "--colour", "red", "busybox")).toMatchObject({ code: 125, stderr: expect.stringContaining("--colour") });
  expect((await ramekin("ps", "--colour")).code).not.toBe(0);
});

test("flags after the image belong to the command", async () => {
  expect(await here().output(["run", "--rm", "busybox", "echo", "--rm", "-d"])).toBe("--rm -d");
});

test("help names every verb, and each verb its flags", async () => {
  const { stdout, stderr, code } = await ramekin("--help");
  // Nothing of Node's own comes before it, such as a warning that something is experimental.
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  for (const verb of ["run", "exec", "ps", "images", "pull", "logs", "doctor"]) expect(stdout).toMatch(new RegExp(`^ +${verb}\\b`, "m"));
  expect((await ramekin("run", "--help")).stdout).toContain("--detach-keys");
  expect((await ramekin("run")).code).toBe(1);
});

test.each(["bash", "zsh", "fish"])("completion for %s is a script", async (shell) => {
  const { code, stdout } = await ramekin("completion", shell);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("ramekin") });
});

test("--root and --runroot before the verb win over the environment", async () => {
  const { stdout } = await ramekin("--root", `${here().folder}/elsewhere`, "--runroot", `${here().folder}/run2`, "images", "-q");
  expect(stdout).toBe("");
});

test("a driver that does not exist is refused, with those that do", async () => {
  expect(await ramekin("--storage-driver", "cloud", "run", "--rm", "busybox", "true")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining("cloud"),
  });
  expect(await ramekin("--isolation", "hope", "run", "--rm", "busybox", "true")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining("hope"),
  });
});

test("the embedded image runs without a registry", async () => {
  const { code, stdout } = await ramekin(
    "run",
    "--rm",
    "-h",
    "oven",
    "-u",
    "1234",
    "--memory",
    "64m",
    "--pids-limit",
    "17",
    "ramekin/hello",
  );
  expect(code).toBe(0);
  // What it shows of its container: pid, user, host name, mounts, limits.
  for (const told of [/process .*pid 1\b/, /user .*1234/, /host name +oven$/m, /files +\S/, /network .*lo/, /limits .*64.*17 processes/])
    expect(stdout).toMatch(told);
});
