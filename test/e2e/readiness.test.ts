import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, command, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const background = (condition: string, script: string, ...flags: string[]) =>
  ramekin("run", "-d", "--name", "server", "--wait", condition, "--wait-timeout", "20s", ...flags, "busybox", "sh", "-c", script);
const removed = () => output("rm", "-f", "server");

test("[run --wait] [CTR-14] a port that is listened to, inside the container's network", async () => {
  expect(await background("port:5432", "sleep 0.3; nc -l -p 5432")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/),
  });
  expect(await output("exec", "server", "netstat", "-ltn")).toContain(":5432");
  await removed();
});

test("[run --wait] [CTR-14] a line in the log, health, and the end with its exit code", async () => {
  expect(await background("log:/ready \\d+/", "echo starting; sleep 0.3; echo ready 7; sleep 1000")).toMatchObject({ code: 0 });
  expect(await output("logs", "server")).toBe("starting\nready 7");
  await removed();
  const health = ["--health-cmd", "test -e /well", "--health-interval", "100ms"];
  expect(await background("healthy", "sleep 0.3; touch /well; sleep 1000", ...health)).toMatchObject({ code: 0 });
  expect(await output("ps", "--format", "{{.Status}}")).toContain("(healthy)");
  await removed();
  expect(await background("exit", "sleep 0.1; exit 4")).toMatchObject({ code: 4 });
  await removed();
});

test("[run --wait-timeout] [CTR-14] time runs out: 124; the container ends first: 125; it is left as it is", async () => {
  const late = await ramekin("run", "-d", "--name", "server", "--wait", "port:80", "--wait-timeout", "300ms", "busybox", "sleep", "1000");
  expect(late).toMatchObject({
    code: 124,
    stderr: expect.stringContaining("0.3 s have passed, and container server has not listened on port 80"),
  });
  expect(await output("ps", "--format", "{{.Names}}")).toBe("server");
  await removed();
  for (const condition of ["port:80", "log:never", "healthy"]) {
    const flags = condition === "healthy" ? ["--health-cmd", "false"] : [];
    expect(await background(condition, "echo hm; exit 3", ...flags)).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("exit code 3"),
    });
    await removed();
  }
});

test("[start --wait] [start --wait-timeout] the same of one that was created", async () => {
  await output("create", "--name", "server", "busybox", "sh", "-c", "sleep 0.2; echo up; sleep 1000");
  expect(await ramekin("start", "--wait", "log:up", "--wait-timeout", "20s", "server")).toMatchObject({ code: 0, stdout: "server\n" });
  await output("stop", "-t", "0", "server");
  expect(await ramekin("start", "--wait", "port:1", "--wait-timeout", "200ms", "server")).toMatchObject({ code: 124 });
  await removed();
});

test("what cannot be waited for is refused before anything runs", async () => {
  for (const [flags, said] of [
    [
      ["-d", "--wait", "port:0", "--wait", "log:/(/"],
      ["no port between", "Invalid regular expression"],
    ],
    [["-d", "--wait", "sunshine"], ["nothing that can be waited for"]],
    [["--wait", "exit"], ["--detach"]],
    [["-d", "--wait-timeout", "1s"], ["goes with --wait"]],
  ] as const) {
    const { code, stderr } = await ramekin("run", ...flags, "busybox", "true");
    expect(code).toBe(125);
    for (const part of said) expect(stderr).toContain(part);
  }
  expect(await ramekin("run", "-d", "--name", "server", "--wait", "healthy", "busybox", "sleep", "9")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining("no health check"),
  });
  await removed();
});

test("[run --timeout] [create --timeout] [CTR-16] a run that takes too long is killed, with podman's exit code", async () => {
  expect(await ramekin("run", "--rm", "--timeout", "0.5", "busybox", "sleep", "1000")).toMatchObject({
    code: 255,
    stderr: expect.stringContaining("time limit"),
  });
  expect(await ramekin("run", "--rm", "--timeout", "60", "busybox", "sh", "-c", "exit 3")).toMatchObject({ code: 3 });
  await output("create", "--name", "server", "--timeout", "0.3", "--restart", "on-failure:1", "busybox", "sleep", "1000");
  await output("start", "server");
  await eventually(async () =>
    expect(await output("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", "server")).toBe("1 exited"),
  );
  await removed();
});

test("a program's containers die with it, and so they do before they run", async () => {
  const script = join(import.meta.dirname, "../support/bound.ts");
  const child = spawn(process.execPath, ["--conditions=ramekin-source", script], {
    env: { ...process.env, ...here().env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const [pid, id] = await new Promise<string[]>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim().split(" "))));
  expect(await output("ps", "--no-trunc", "-q")).toBe(id);
  child.kill("SIGKILL");
  await ended;
  await eventually(() => expect(() => process.kill(Number(pid), 0)).toThrow());
  await eventually(async () => expect(await output("ps", "-aq")).toBe(""));
  expect((await command(["kill", "-0", String(pid)])).code).not.toBe(0);
});
