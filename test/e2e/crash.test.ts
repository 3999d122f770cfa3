import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage, eventually, kitchen, processesOf, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const status = async (name: string) => (await here().inspect(name)).State;
const supervisors = async () => (await processesOf(here().folder)).filter((line) => line.includes("ramekin-shim"));

test("[STO-4] the command is killed at any moment: the next one just works", async () => {
  for (let delay = 0; delay < 600; delay += 40) {
    const running = here().start(["run", "--name", "victim", "busybox", "sh", "-c", "echo up; sleep 2"]);
    await sleep(delay);
    running.child.kill("SIGKILL");
    await running.ended;
    // Whatever was left: lists are right, the name can be had again, and nothing has to be repaired by hand.
    expect((await here().ramekin(["ps", "-a"])).code).toBe(0);
    const { code } = await here().ramekin(["rm", "-f", "victim"]);
    expect([0, 1]).toContain(code);
    expect(await here().output(["run", "--rm", "--name", "victim", "busybox", "echo", "fine"])).toBe("fine");
  }
  await here().output(["system", "prune", "-f"]);
  expect(await here().output(["ps", "-a", "-q"])).toBe("");
}, 180_000);

test("a container survives the command that started it", async () => {
  const running = here().start(["run", "--name", "orphan", "busybox", "sh", "-c", "echo up; sleep 1; echo later; exit 5"]);
  await running.saw("up");
  running.child.kill("SIGKILL");
  await running.ended;
  expect((await status("orphan")).Status).toBe("running");
  expect(await here().output(["wait", "orphan"])).toBe("5");
  expect(await here().output(["logs", "orphan"])).toBe("up\nlater");
  await here().output(["rm", "orphan"]);
});

test("[run --rm] of a killed command still removes", async () => {
  const before = await here().traces();
  const running = here().start(["run", "--rm", "busybox", "sh", "-c", "echo up; sleep 1"]);
  await running.saw("up");
  running.child.kill("SIGKILL");
  await running.ended;
  await eventually(async () => expect(await here().traces()).toEqual(before));
});

test("the supervisor is killed: the container dies with it, is seen as exited with 137, and starts again", async () => {
  await here().output(["run", "-d", "--name", "bereft", "busybox", "sleep", "1000"]);
  const { Pid } = await status("bereft");
  const [line = ""] = await supervisors();
  process.kill(Number(line.split(" ")[0]), "SIGKILL");
  await eventually(() => expect(() => process.kill(Pid, 0)).toThrow());
  expect(await status("bereft")).toMatchObject({ Status: "exited", ExitCode: 137 });
  await here().output(["start", "bereft"]);
  expect((await status("bereft")).Status).toBe("running");
  await here().output(["rm", "-f", "bereft"]);
});

test("a restart of the machine: everything has exited, and starts again", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  await fresh.output(["run", "-d", "--name", "server", "busybox", "sh", "-c", "echo started; sleep 1000"]);
  await fresh.output(["create", "--name", "waiting", "busybox", "echo", "hi"]);
  for (const line of (await processesOf(fresh.folder)).filter((entry) => entry.includes("ramekin-shim")))
    process.kill(Number(line.split(" ")[0]), "SIGKILL");
  await eventually(async () => expect(await processesOf(fresh.folder)).toEqual([]));
  await rm(fresh.runRoot, { recursive: true });
  expect(await fresh.output(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).toBe("waiting created\nserver exited");
  await fresh.output(["start", "server"]);
  expect(await fresh.output(["start", "-a", "waiting"])).toBe("hi");
  await eventually(async () => expect(await fresh.output(["logs", "server"])).toBe("started\nstarted"));
});

test("a supervisor that is killed while the container writes leaves a log that can be read", async () => {
  await here().output([
    "run",
    "-d",
    "--name",
    "chatty",
    "busybox",
    "sh",
    "-c",
    "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done",
  ]);
  await eventually(async () => expect(await here().output(["logs", "--tail", "1", "chatty"])).toMatch(/line \d{3}/));
  const [line = ""] = await supervisors();
  process.kill(Number(line.split(" ")[0]), "SIGKILL");
  await eventually(async () => expect((await status("chatty")).Status).toBe("exited"));
  const lines = (await here().output(["logs", "chatty"])).split("\n");
  expect(lines.length).toBeGreaterThan(99);
  expect(lines.slice(0, 3)).toEqual(["line 1", "line 2", "line 3"]);
  await here().output(["rm", "chatty"]);
});
