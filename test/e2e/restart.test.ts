import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, eventually, type Inspected, kitchen, missing, processesOf, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);

interface Restarted extends Inspected {
  readonly RestartCount: number;
  readonly State: Inspected["State"] & { readonly Restarting: boolean; readonly Running: boolean };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number } };
}
const inspect = (name: string) => here().inspect<Restarted>(name);
const status = async (name: string) => (await inspect(name)).State.Status;
/** Of a container that ends at once: between two runs most of the time. */
const between = (name: string, count = 2) =>
  eventually(async () => {
    const { State, RestartCount } = await inspect(name);
    expect([State.Status, RestartCount > count]).toEqual(["restarting", true]);
  });

test("[run --restart] [CTR-5] on-failure:2 runs three times, and what each wrote is in the log", async () => {
  await output("run", "-d", "--name", "fails", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo run; echo x >> /runs; exit 3");
  await eventually(async () => expect(await status("fails")).toBe("exited"));
  const { State, RestartCount, HostConfig } = await inspect("fails");
  expect([State.ExitCode, State.Restarting, RestartCount]).toEqual([3, false, 2]);
  expect(HostConfig.RestartPolicy).toEqual({ Name: "on-failure", MaximumRetryCount: 2 });
  expect(await output("logs", "fails")).toBe("run\nrun\nrun");
  const events = await output("events", "--since", "1h", "--until", "0s", "--filter", "container=fails", "--format", "{{.Action}}");
  expect(events.split("\n").filter((action) => action === "start" || action === "die")).toEqual([
    ...["start", "die", "start", "die", "start", "die"],
  ]);
  await output("rm", "fails");
});

test("[create --restart] on-failure takes no success for a failure", async () => {
  await output("create", "--name", "works", "--restart", "on-failure", "busybox", "true");
  await output("start", "works");
  expect(await output("wait", "works")).toBe("0");
  expect(await inspect("works")).toMatchObject({ RestartCount: 0, State: { Status: "exited" } });
  await output("rm", "works");
});

test("[CTR-5] always: whoever is attached gets the first end, and the container goes on", async () => {
  const attached = await ramekin("run", "--name", "loop", "--restart", "always", "busybox", "sh", "-c", "echo once; exit 6");
  expect(attached).toMatchObject({ code: 6, stdout: "once\n" });
  await between("loop");
  expect(await output("ps", "--format", "{{.Names}} {{.Status}}")).toMatch(/^loop Restarting \(6\) .* ago$/);
  expect((await inspect("loop")).State).toMatchObject({ Running: true, Restarting: true, Pid: 0 });
  for (const [args, code, said] of [
    [["rm", "loop"], 1, "stop it first"],
    [["exec", "loop", "true"], 1, "is restarting"],
    [["attach", "loop"], 1, "restarting container"],
    [["pause", "loop"], 1, "restarting"],
    [["start", "loop"], 0, ""],
  ] as const) {
    await between("loop");
    expect(await ramekin(...args)).toMatchObject({ code, stderr: expect.stringContaining(said) });
  }
  // asked for between two runs, it is told the end of the next, or of the container
  const waiting = here().start(["wait", "loop"]);
  await output("stop", "loop");
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: "6\n" });
  expect(await inspect("loop")).toMatchObject({ State: { Status: "exited", ExitCode: 6 } });
  // by hand, it begins anew
  await output("start", "loop");
  await between("loop", 0);
  await output("rm", "--force", "loop");
});

test("[CTR-5] stop and kill end the policy, a signal beside the stop signal does not", async () => {
  const script = "trap 'exit 7' USR1; trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
  for (const policy of ["always", "unless-stopped"]) {
    await output("run", "-d", "--name", "held", "--restart", policy, "--stop-signal", "TERM", "busybox", "sh", "-c", script);
    await eventually(async () => expect(await output("logs", "held")).toBe("ready"));
    await output("kill", "-s", "USR1", "held");
    await eventually(async () => expect(await output("logs", "held")).toBe("ready\nready"));
    await output("stop", "held");
    expect(await inspect("held")).toMatchObject({ RestartCount: 1, State: { Status: "exited", ExitCode: 0 } });
    await output("start", "held");
    await output("kill", "held");
    expect(await output("wait", "held")).toBe("137");
    expect(await status("held")).toBe("exited");
    await output("rm", "held");
  }
});

test("[CTR-5] a supervisor that is killed between two runs leaves a container that has exited", async () => {
  await output("run", "-d", "--name", "bereft", "--restart", "always", "busybox", "sh", "-c", "exit 5");
  await between("bereft", 3);
  const [line = ""] = (await processesOf(here().folder)).filter((entry) => entry.includes("ramekin-shim"));
  process.kill(Number.parseInt(line, 10), "SIGKILL");
  expect(await output("ps", "-a", "--format", "{{.Names}} {{.Status}}")).toMatch(/^bereft Exited \((5|137)\) .* ago$/);
  await output("rm", "bereft");
});

test("what contradicts itself is told at once", async () => {
  const { code, stderr } = await ramekin(
    "run",
    "--rm",
    "--restart",
    "always",
    "--health-interval",
    "x",
    "--health-retries",
    "-1",
    "busybox",
  );
  expect(code).toBe(125);
  for (const part of ["both --restart and --rm", "--health-interval", "--health-retries cannot be negative"])
    expect(stderr).toContain(part);
  for (const [policy, said] of [
    ["sometimes", "unknown policy 'sometimes'"],
    ["always:3", "can only be used with 'on-failure'"],
    ["on-failure:x", "must be an integer"],
    ["on-failure:-1", "cannot be negative"],
  ] as const)
    expect(await ramekin("run", "--restart", policy, "busybox")).toMatchObject({ code: 125, stderr: expect.stringContaining(said) });
});

test("[CTR-5] after a restart of the machine start-all starts what is to come back", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  const names = async (...args: string[]) => (await fresh.output(["ps", ...args, "--format", "{{.Names}}"])).split("\n").sort();
  for (const [name, policy] of [
    ["always-ran", "always"],
    ["always-stopped", "always"],
    ["unless-ran", "unless-stopped"],
    ["unless-stopped", "unless-stopped"],
    ["failing-ran", "on-failure"],
    ["plain", "no"],
  ] as const)
    await fresh.output(["run", "-d", "--name", name, "--restart", policy, "busybox", "sleep", "1000"]);
  await fresh.output(["create", "--name", "never-ran", "--restart", "always", "busybox", "sleep", "1000"]);
  await fresh.output(["stop", "-t", "0", "always-stopped", "unless-stopped"]);
  expect(await fresh.output(["system", "start-all"])).toBe("");

  for (const line of (await processesOf(fresh.folder)).filter((entry) => entry.includes("ramekin-shim")))
    process.kill(Number.parseInt(line, 10), "SIGKILL");
  await eventually(async () => expect(await processesOf(fresh.folder)).toEqual([]));
  await rm(fresh.runRoot, { recursive: true });
  const ids = (await fresh.output(["ps", "-aq", "--no-trunc"])).split("\n");
  for (const id of ids) {
    await succeed(["sh", "-c", `rmdir /sys/fs/cgroup/*/ramekin/${id} 2> /dev/null || true`]); // no control group outlives the kernel
    const file = join(fresh.root, "containers", id, "state.json");
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) await writeFile(file, JSON.stringify({ ...JSON.parse(text), bootId: "another" }));
  }
  expect((await fresh.output(["system", "start-all"])).split("\n").sort()).toEqual(["always-ran", "always-stopped", "unless-ran"]);
  expect(await names()).toEqual(["always-ran", "always-stopped", "unless-ran"]);
  expect(await fresh.output(["system", "start-all"])).toBe("");
});

const noAnalyze = missing("systemd-analyze");
test("[system service --user] the unit is one that systemd takes, and goes again", async () => {
  const configuration = join(here().folder, "home/.config");
  const unit = join(configuration, "systemd/user/ramekin.service");
  expect(await output("system", "service", "install", "--user")).toBe(unit);
  const text = await readFile(unit, "utf8");
  expect(text).toContain(`--root ${here().root} --runroot ${here().runRoot} system start-all\n`);
  expect(await readFile(join(configuration, "systemd/user/default.target.wants/ramekin.service"), "utf8")).toBe(text);
  if (noAnalyze === undefined) {
    // it forgives what it does not understand, and says so
    const { stderr } = await succeed(["systemd-analyze", "verify", "--user", "--man=no", unit], {
      env: { XDG_RUNTIME_DIR: here().folder },
    });
    expect(stderr).not.toContain("ramekin.service");
  }
  // the command in it works as it stands
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? "";
  expect((await succeed(["sh", "-c", line], { env: { HOME: here().folder } })).stdout).toBe("");
  expect(await output("system", "service", "uninstall", "--user")).toBe(unit);
  expect(await ramekin("system", "service", "uninstall", "--user")).toMatchObject({ code: 1, stderr: expect.stringContaining(unit) });
});
