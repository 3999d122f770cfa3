import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, eventually, type Inspected, processesOf, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);

interface Checked extends Inspected {
  readonly RestartCount: number;
  readonly State: Inspected["State"] & {
    readonly Health?: {
      readonly Status: string;
      readonly FailingStreak: number;
      readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[];
    };
  };
  readonly Config: Inspected["Config"] & { readonly Healthcheck?: { readonly Test: readonly string[]; readonly Interval: number } };
}
const inspect = (name: string) => here().inspect<Checked>(name);
const health = async (name: string) => (await inspect(name)).State.Health;
const shown = (...filters: string[]) =>
  output("ps", ...filters.flatMap((filter) => ["--filter", filter]), "--format", "{{.Names}} {{.Status}}");

test("[CTR-6] [run --health-cmd] [run --health-interval] [run --health-retries] healthy and unhealthy, and whoever looks is told", async () => {
  const flags = ["--health-cmd", "test -e /well && echo fine", "--health-interval", "300ms", "--health-retries", "2"];
  await output("run", "-d", "--name", "checked", ...flags, "busybox", "sleep", "1000");
  await eventually(async () => expect(await shown("health=unhealthy")).toMatch(/^checked Up .* \(unhealthy\)$/));
  expect((await health("checked"))?.FailingStreak).toBeGreaterThan(1);
  expect(await ramekin("healthcheck", "run", "checked")).toMatchObject({ code: 1, stdout: "unhealthy\n" });
  await output("exec", "checked", "touch", "/well");
  expect(await ramekin("healthcheck", "run", "checked")).toMatchObject({ code: 0, stdout: "" });
  expect(await shown("health=healthy")).toMatch(/^checked Up .* \(healthy\)$/);
  expect((await health("checked"))?.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: "fine\n" });
  await eventually(async () => expect((await health("checked"))?.Log.length).toBe(5));
  expect(await shown("health=starting")).toBe("");
  const events = await output("events", "--since", "1h", "--until", "0s", "--filter", "container=checked", "--format", "{{.Action}}");
  expect(events.split("\n").filter((action) => action.startsWith("health"))).toEqual([
    "health_status: unhealthy",
    "health_status: healthy",
  ]);
  await output("rm", "-f", "checked");
});

test("[CTR-6] [run --health-start-period] [run --health-start-interval] while it starts, failures do not count", async () => {
  const flags = ["--health-cmd", "false", "--health-interval", "1h", "--health-retries", "1"];
  await output(
    "run",
    "-d",
    "--name",
    "slow",
    ...flags,
    "--health-start-period",
    "1h",
    "--health-start-interval",
    "100ms",
    "busybox",
    "sleep",
    "1000",
  );
  await eventually(async () => expect((await health("slow"))?.Log.length).toBeGreaterThan(2));
  expect(await health("slow")).toMatchObject({ Status: "starting", FailingStreak: 0 });
  expect(await shown("health=starting")).toMatch(/^slow Up .* \(health: starting\)$/);
  await output("rm", "-f", "slow");
});

test("[CTR-6] [run --health-timeout] a check that takes too long is killed with all that it has started", async () => {
  const flags = [
    "--health-cmd",
    "echo begun; (sleep 1000 & sleep 1000) & sleep 1000",
    "--health-interval",
    "1h",
    "--health-timeout",
    "300ms",
  ];
  await output("run", "-d", "--init", "--name", "stuck", ...flags, "busybox", "sleep", "1000");
  expect((await ramekin("healthcheck", "run", "stuck")).code).toBe(1);
  const last = (await health("stuck"))?.Log.at(-1);
  expect([last?.ExitCode, last?.Output]).toEqual([-1, "Health check exceeded timeout (300ms): begun\n"]);
  // the init, which has reaped them, and its program
  await eventually(async () => expect((await output("top", "stuck")).split("\n")).toHaveLength(3));
  await output("rm", "-f", "stuck");
});

test("[CTR-6] [run --health-on-failure] kill, stop and restart", async () => {
  const script = "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done";
  const flags = (action: string) => [
    "--health-cmd",
    "false",
    "--health-interval",
    "200ms",
    "--health-retries",
    "1",
    "--health-on-failure",
    action,
  ];
  for (const action of ["kill", "stop", "restart"])
    await output("run", "-d", "--name", `on-${action}`, ...flags(action), "busybox", "sh", "-c", script);
  await eventually(async () => expect((await inspect("on-kill")).State).toMatchObject({ Status: "exited", ExitCode: 137 }));
  await eventually(async () => expect((await inspect("on-stop")).State).toMatchObject({ Status: "exited", ExitCode: 0 }));
  expect(await output("logs", "on-stop")).toBe("asked");
  await eventually(async () => expect((await inspect("on-restart")).RestartCount).toBeGreaterThan(1));
  await output("rm", "-f", "on-kill", "on-stop", "on-restart");
});

test("[CTR-6] [run --no-healthcheck] the image's HEALTHCHECK, changed in part and left out", async () => {
  await output("create", "--name", "source", "busybox");
  await output("commit", "--change", 'HEALTHCHECK --interval=250ms CMD ["cat", "/etc/hostname"]', "source", "checked");
  await output("rm", "source");
  await output("run", "-d", "--name", "own", "--hostname", "oven", "checked", "sleep", "1000");
  await eventually(async () => expect((await health("own"))?.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: "oven\n" }));
  expect((await inspect("own")).Config.Healthcheck).toMatchObject({ Test: ["CMD", "cat", "/etc/hostname"], Interval: 250_000_000 });
  await output("run", "-d", "--name", "none", "--no-healthcheck", "checked", "sleep", "1000");
  expect((await inspect("none")).Config.Healthcheck).toBeUndefined();
  expect(await ramekin("healthcheck", "run", "none")).toMatchObject({ code: 125, stderr: expect.stringContaining("no health check") });
  expect(await ramekin("run", "--no-healthcheck", "--health-cmd", "true", "checked")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining("conflicts"),
  });
  await output("rm", "-f", "own", "none");
});

test("[CTR-6] hundreds of checks leave no process, no descriptor and no file", async () => {
  await output("run", "-d", "--name", "often", "--health-cmd", "true", "--health-interval", "1ms", "busybox", "sleep", "1000");
  const { Pid } = (await inspect("often")).State;
  const [line = ""] = (await processesOf(here().folder)).filter((entry) => entry.includes("ramekin-shim"));
  const shim = Number.parseInt(line, 10);
  const ran = async () => {
    const starts = (await health("often"))?.Log.map((entry) => (entry as unknown as { Start: string }).Start) ?? [];
    return starts.at(-1) ?? "";
  };
  const look = async () => ({
    descriptors: (await readdir(`/proc/${shim}/fd`)).length,
    files: (await readdir(join(here().runRoot, "containers", (await inspect("often")).Id)))
      .filter((name) => !name.startsWith("exec-"))
      .sort(),
  });
  const begin = await ran();
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect(await ran()).not.toBe(begin);
  await output("pause", "often"); // no check is under way while we count
  await eventually(async () => {
    const after = await look();
    expect(after.files).toEqual(before.files);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 6); // of the one that was frozen
  });
  await output("unpause", "often");
  expect((await inspect("often")).State.Pid).toBe(Pid);
  await output("rm", "-f", "often");
});

test("[CTR-6] [run --health-startup-cmd] [run --health-startup-interval] [run --health-startup-success] [run --health-startup-timeout] the usual check waits until the one for the start has passed", async () => {
  // its first run takes too long, the next two count
  const startup = "echo start; n=$(cat /n 2>/dev/null || echo 0); echo $((n + 1)) >/n; [ $n -gt 0 ] || sleep 1000";
  const flags = ["--health-startup-interval", "100ms", "--health-startup-success", "2", "--health-startup-timeout", "300ms"];
  const usual = ["--health-cmd", "echo usual", "--health-interval", "1h"];
  await output("create", "--name", "slowly", "--health-startup-cmd", startup, ...flags, ...usual, "busybox", "sleep", "1000");
  await output("start", "--wait", "healthy", "slowly");
  const log = (await health("slowly"))?.Log.map(({ ExitCode, Output }) => [ExitCode, Output]);
  expect(log).toEqual([
    [-1, "Health check exceeded timeout (300ms): start\n"],
    [0, "start\n"],
    [0, "start\n"],
    [0, "usual\n"],
  ]);
  expect((await inspect("slowly")).RestartCount).toBe(0);
  await output("rm", "-f", "slowly");
});

test("[CTR-6] [run --health-startup-retries] a start that fails too often is begun again, whatever the policy", async () => {
  const flags = ["--health-startup-interval", "100ms", "--health-startup-retries", "2", "--stop-timeout", "0", "--health-cmd", "true"];
  // the second run finds what the first one has left
  const script = "if [ -e /first ]; then touch /second; fi; touch /first; exec sleep 1000";
  await output("run", "-d", "--name", "again", "--health-startup-cmd", "test -e /second", ...flags, "busybox", "sh", "-c", script);
  await eventually(async () => expect((await inspect("again")).RestartCount).toBe(1));
  await eventually(async () => expect((await health("again"))?.Log.some(({ ExitCode }) => ExitCode === 0)).toBe(true));
  expect((await inspect("again")).RestartCount).toBe(1);
  await output("rm", "-f", "again");
});

test("[CTR-6] a startup check without anything to come after it, or with nothing to check, is refused", async () => {
  for (const [flags, said] of [
    [["--health-startup-cmd", "true"], "a startup check goes before a health check, and there is none"],
    [["--health-startup-retries", "2"], "add --health-startup-cmd"],
    [
      ["--health-startup-cmd", "true", "--health-startup-success", "-1", "--health-cmd", "true"],
      "--health-startup-success cannot be negative",
    ],
    [["--health-startup-cmd", "true", "--no-healthcheck"], "conflicts"],
  ] as const)
    expect(await ramekin("run", "--name", "none", ...flags, "busybox", "true")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(said),
    });
  expect(await shown("name=none")).toBe("");
});
