import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage, eventually, processesOf, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const stateOf = async (name: string) => (await here().inspect(name)).State;

/** Counts its starts, and the signals that it was asked to end with. */
const counting =
  "echo start >> /log; trap 'echo TERM >> /log; exit 0' TERM; trap 'echo HUP >> /log; exit 0' HUP; echo ready; while :; do sleep 0.1; done";
const lines = async (name: string) => (await output("exec", name, "cat", "/log")).split("\n");
/** With `--rm`, in the background. */
async function begin(name: string, script: string): Promise<{ readonly id: string; readonly pid: number }> {
  await output("run", "-d", "--rm", "--name", name, "busybox", "sh", "-c", script);
  await eventually(async () => expect(await output("logs", name)).toBe("ready"));
  const { Id: id, State } = await here().inspect(name);
  return { id, pid: State.Pid };
}
const readyTimes = (name: string, times: number) =>
  eventually(async () => expect((await output("logs", name)).match(/ready/g)).toHaveLength(times));

test("[CTR-1] [restart --signal] restart stops with the container's signal or another, and starts it with its files", async () => {
  await output("run", "-d", "--name", "again", "busybox", "sh", "-c", counting);
  await readyTimes("again", 1);
  const { Pid: before } = await stateOf("again");
  expect(await output("restart", "again")).toBe("again");
  await readyTimes("again", 2);
  expect((await stateOf("again")).Pid).not.toBe(before);
  await output("container", "restart", "--signal", "HUP", "again");
  await readyTimes("again", 3);
  expect(await lines("again")).toEqual(["start", "TERM", "start", "HUP", "start"]);
  await output("rm", "-f", "again");
});

test("[restart --timeout] who does not listen is killed, and started again", async () => {
  await output("run", "-d", "--name", "deaf", "busybox", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done");
  await readyTimes("deaf", 1);
  const begin = Date.now();
  await output("restart", "--timeout", "1", "deaf");
  expect(Date.now() - begin).toBeGreaterThan(900);
  await readyTimes("deaf", 2);
  expect((await stateOf("deaf")).Status).toBe("running");
  await output("rm", "-f", "deaf");
});

test("restart: created, exited and paused ones run afterwards", async () => {
  await output("create", "--name", "fresh", "busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done");
  for (const before of [[], ["kill", "fresh"], ["pause", "fresh"]]) {
    if (before.length > 0) await output(...before);
    if (before[0] === "kill") await output("wait", "fresh");
    await output("restart", "-t", "1", "fresh");
    expect((await stateOf("fresh")).Status).toBe("running");
  }
  const some = await ramekin("restart", "-t", "0", "nobody", "fresh");
  expect(some).toMatchObject({ code: 1, stdout: "fresh\n", stderr: expect.stringContaining("no such container: nobody") });
  await output("rm", "-f", "fresh");
});

const names = () => output("ps", "-a", "--format", "{{.Names}}");
const gone = () => eventually(async () => expect(await names()).toBe(""));

test("[CTR-1] one with --rm is restarted with its files, and goes when it ends", async () => {
  const { id, pid } = await begin("once", counting);
  await output("restart", "once");
  await readyTimes("once", 2);
  expect(await lines("once")).toEqual(["start", "TERM", "start"]);
  expect((await here().inspect("once")).Id).toBe(id);
  expect((await stateOf("once")).Pid).not.toBe(pid);
  // frozen it hears no signal; it is thawed, and runs afterwards
  await output("pause", "once");
  await output("restart", "--signal", "HUP", "once");
  await readyTimes("once", 3);
  expect(await lines("once")).toEqual(["start", "TERM", "start", "HUP", "start"]);
  const told = await output("events", "--since", "1h", "--until", "0s", "--filter", "container=once", "--format", "{{.Action}}");
  const lives = told.split("\n").filter((action) => !action.startsWith("exec"));
  expect(lives.slice(0, 7)).toEqual(["create", "start", "kill", "die", "stop", "start", "restart"]);
  await output("kill", "once");
  await gone();
});

test("[CTR-1] who does not listen is killed, and started again, with --rm too; one that cannot be started again goes", async () => {
  await begin("deaf", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
  await output("restart", "-t", "1", "deaf");
  await readyTimes("deaf", 2);
  await output("exec", "deaf", "/bin/busybox", "rm", "/bin/sh");
  const failed = await ramekin("restart", "-t", "0", "deaf");
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("executable file not found") });
  await gone();
});

test("a restart of one with --rm goes on when who asked for it is killed", async () => {
  const { pid } = await begin("kept", "trap 'sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.1; done");
  const asking = here().start(["restart", "kept"]);
  await eventually(async () => {
    const told = await output("events", "--since", "1h", "--until", "0s", "--filter", "container=kept", "--format", "{{.Action}}");
    expect(told).toContain("kill");
  });
  await sleep(300);
  asking.child.kill("SIGKILL");
  await readyTimes("kept", 2);
  expect((await stateOf("kept")).Pid).not.toBe(pid);
  await output("rm", "-f", "kept");
});

test("[CTR-1] one with --rm has its new name at once; its end takes that away, and not what has the old one by then", async () => {
  await begin("first", "echo ready; while :; do sleep 0.1; done");
  await output("rename", "first", "second");
  await output("rename", "second", "third");
  await output("create", "--name", "first", "busybox");
  await output("create", "--name", "second", "busybox");
  expect((await names()).split("\n").sort()).toEqual(["first", "second", "third"]);
  await output("kill", "third");
  await eventually(async () => expect((await names()).split("\n").sort()).toEqual(["first", "second"]));
  expect((await here().inspect("first")).Name).toBe("/first");
  const told = ["events", "--since", "1h", "--until", "0s", "--filter", "event=destroy", "--format", "{{.Actor.Attributes.name}}"];
  expect((await output(...told)).split("\n").at(-1)).toBe("third");
  await output("rm", "first", "second");
  expect(await output("system", "fsck")).not.toContain("name");
});

test("one with --rm whose supervisor is killed after it was renamed takes its new name along", async () => {
  await begin("mourned", "echo ready; while :; do sleep 0.1; done");
  await output("rename", "mourned", "missed");
  await output("create", "--name", "mourned", "busybox");
  const [line = ""] = (await processesOf(here().folder)).filter((entry) => entry.includes("ramekin-shim"));
  process.kill(Number.parseInt(line, 10), "SIGKILL");
  await eventually(async () => expect(await names()).toBe("mourned"));
  await output("rm", "mourned");
});

test("[CTR-1] rename: a running container has its new name at once, everywhere; the old one is free", async () => {
  await output("run", "-d", "--name", "before", "busybox", "sleep", "1000");
  expect(await output("rename", "before", "after")).toBe("");
  expect(await output("ps", "--format", "{{.Names}}")).toBe("after");
  expect((await here().inspect("after")).Name).toBe("/after");
  expect(await ramekin("inspect", "before")).toMatchObject({ code: 1 });
  expect(await output("exec", "after", "echo", "hi")).toBe("hi");
  await output("create", "--name", "before", "busybox");
  expect(await ramekin("container", "rename", "after", "before")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("container name before is in use"),
  });
  expect(await output("rm", "-f", "after", "before")).toBe("after\nbefore");
  expect(await output("system", "fsck")).not.toContain("name");
});

test("rename, killed at any moment: one name, found by it, and the other is free", async () => {
  await output("create", "--name", "aa", "busybox");
  for (let delay = 30; delay < 330; delay += 30) {
    const now = await output("ps", "-a", "--format", "{{.Names}}");
    const other = now === "aa" ? "bb" : "aa";
    const running = here().start(["rename", now, other]);
    await sleep(delay);
    running.child.kill("SIGKILL");
    await running.ended;
    const name = await output("ps", "-a", "--format", "{{.Names}}");
    expect(["aa", "bb"]).toContain(name);
    expect((await here().inspect(name)).Name).toBe(`/${name}`);
    const free = name === "aa" ? "bb" : "aa";
    await output("create", "--name", free, "busybox");
    await output("rm", free);
  }
  await output("rm", await output("ps", "-a", "--format", "{{.Names}}"));
});

test("[container prune --filter] [container prune --force] stopped ones go, running ones stay", async () => {
  for (const [name, label] of [
    ["kept", "keep=yes"],
    ["done", "keep=no"],
  ] as const)
    await output("run", "--name", name, "--label", label, "busybox", "true");
  await output("run", "-d", "--name", "alive", "busybox", "sleep", "1000");
  const { Id: done } = await here().inspect("done");
  const { Id: kept } = await here().inspect("kept");
  expect(await output("container", "prune", "--force", "--filter", "label!=keep=yes")).toMatch(
    new RegExp(`^Deleted Containers:\n${done}\n\nTotal reclaimed space: `),
  );
  expect(await output("container", "prune", "-f")).toContain(`Deleted Containers:\n${kept}\n\n`);
  expect(await output("container", "prune", "-f")).toBe("Total reclaimed space: 0B");
  expect(await output("ps", "-a", "--format", "{{.Names}}")).toBe("alive");
  await output("rm", "-f", "alive");
});

test("[CTR-8] [OBS-3] top shows the processes of one container, those of exec too, by the host's ps", async () => {
  await output("run", "-d", "--name", "busy", "busybox", "sh", "-c", "sleep 1001 & sleep 1002; true");
  await output("run", "-d", "--name", "other", "busybox", "sleep", "1003");
  await output("exec", "-d", "busy", "sleep", "1004");
  const commands = async (...options: string[]) => (await output("top", "busy", ...options)).split("\n");
  await eventually(async () => expect(await commands("-o", "pid,args")).toHaveLength(5));
  const [head = "", ...lines] = await commands();
  expect(head.split(/ +/)).toEqual(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
  expect(lines.map((line) => line.slice(line.lastIndexOf("00:")).split(/ {3,}/).at(-1)).sort()).toEqual([
    "sh -c sleep 1001 & sleep 1002; true",
    "sleep 1001",
    "sleep 1002",
    "sleep 1004",
  ]);
  const { Pid } = await stateOf("busy");
  expect((await commands("-o", "pid,ppid")).some((line) => line.startsWith(`${Pid} `))).toBe(true);
  expect(await commands("auxf")).toHaveLength(5);
  expect(await ramekin("top", "busy", "--nonsense")).toMatchObject({ code: 1, stderr: expect.stringContaining("ps --nonsense: ") });
  expect(await ramekin("top", "busy", "-o", "args")).toMatchObject({ code: 1, stderr: expect.stringContaining("no column PID") });
  await output("rm", "-f", "other", "busy");
  await output("create", "--name", "still", "busybox");
  expect(await ramekin("container", "top", "still")).toMatchObject({ code: 1, stderr: "ramekin: container still is not running\n" });
  await output("rm", "still");
});

test("[CTR-8] port: these networks map none", async () => {
  for (const network of ["none", "host"]) {
    await output("run", "-d", "--name", "closed", "--network", network, "busybox", "sleep", "1000");
    expect(await output("port", "closed")).toBe("");
    expect(await ramekin("container", "port", "closed", "80/tcp")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "ramekin: no public port '80/tcp' published for closed\n",
    });
    await output("rm", "-f", "closed");
  }
  expect((await ramekin("port", "closed")).code).toBe(1);
});
