import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const status = async (name: string) => (await here().inspect(name)).State.Status;
/** Ends at once when it is asked to. */
const obedient = ["busybox", "sh", "-c", "trap 'echo bye; exit 42' TERM; echo ready; while :; do sleep 0.1; done"];
const ready = (name: string) => eventually(async () => expect(await output("logs", name)).toContain("ready"));

test("[CTR-1] create, start, wait, rm", async () => {
  const id = await output("create", "--name", "life", "busybox", "sh", "-c", "echo alive; exit 3");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await status("life")).toBe("created");
  expect(await output("start", "life")).toBe("life");
  expect(await output("wait", id.slice(0, 8))).toBe("3");
  expect(await status("life")).toBe("exited");
  expect(await output("logs", "life")).toBe("alive");
  expect(await output("rm", "life")).toBe("life");
  expect((await ramekin("inspect", "life")).code).toBe(1);
});

test("a container keeps its files from one start to the next", async () => {
  await output("create", "--name", "diary", "busybox", "sh", "-c", "echo line >> /diary; wc -l < /diary");
  for (const count of [1, 2, 3]) expect(await output("start", "--attach", "diary")).toBe(`${count}`);
  await output("rm", "diary");
});

test("[start --attach] gives output and exit code", async () => {
  await output("create", "--name", "loud", "busybox", "sh", "-c", "echo out; echo err >&2; exit 9");
  expect(await ramekin("start", "-a", "loud")).toMatchObject({ code: 9, stdout: "out\n", stderr: "err\n" });
  await output("rm", "loud");
});

test("[start --interactive] [create --interactive] gives stdin", async () => {
  await output("create", "--name", "listener", "--interactive", "busybox", "cat");
  const { stdout } = await here().ramekin(["start", "--attach", "--interactive", "listener"], { input: "hello\n" });
  expect(stdout).toBe("hello\n");
  await output("rm", "listener");
});

test("[run --detach] prints the id at once and leaves it running", async () => {
  const id = await output("run", "--detach", "--name", "back", "busybox", "sleep", "1000");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await status("back")).toBe("running");
  expect(await output("rm", "-f", "back")).toBe("back");
});

test("stop: the signal that was asked for, then its exit code", async () => {
  await output("run", "-d", "--name", "obedient", ...obedient);
  await ready("obedient");
  await output("stop", "obedient");
  expect((await here().inspect("obedient")).State).toMatchObject({ Status: "exited", ExitCode: 42 });
  expect(await output("logs", "obedient")).toBe("ready\nbye");
  await output("rm", "obedient");
});

test("[stop --timeout] who does not listen is killed: 137", async () => {
  await output("run", "-d", "--name", "deaf", "busybox", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done");
  await ready("deaf");
  const begin = Date.now();
  await output("stop", "--timeout", "1", "deaf");
  expect(Date.now() - begin).toBeGreaterThan(900);
  expect(Date.now() - begin).toBeLessThan(6000);
  expect((await here().inspect("deaf")).State.ExitCode).toBe(137);
  await output("rm", "deaf");
});

test("[run --stop-timeout] [CTR-7] is what stop waits when it is not told", async () => {
  await output(
    "run",
    "-d",
    "--name",
    "deaf",
    "--stop-timeout",
    "1",
    "busybox",
    "sh",
    "-c",
    "trap '' TERM; echo ready; while :; do sleep 1; done",
  );
  await ready("deaf");
  const begin = Date.now();
  await output("stop", "deaf");
  expect(Date.now() - begin).toBeLessThan(6000);
  await output("rm", "deaf");
});

test("[run --stop-signal] [stop --signal] another than TERM", async () => {
  const script = "trap 'exit 50' USR1; trap 'exit 51' QUIT; echo ready; while :; do sleep 0.1; done";
  for (const [flags, code] of [
    [[], 50],
    [["--signal", "QUIT"], 51],
  ] as const) {
    await output("run", "-d", "--name", "polite", "--stop-signal", "SIGUSR1", "busybox", "sh", "-c", script);
    await ready("polite");
    await output("stop", ...flags, "polite");
    expect((await here().inspect("polite")).State.ExitCode).toBe(code);
    await output("rm", "polite");
  }
});

test("[kill --signal] by name and by number; without it, KILL: 137", async () => {
  const script = "trap 'echo got usr1' USR1; echo ready; while :; do sleep 0.1; done";
  await output("run", "-d", "--name", "target", "busybox", "sh", "-c", script);
  await ready("target");
  await output("kill", "-s", "USR1", "target");
  await eventually(async () => expect(await output("logs", "target")).toContain("got usr1"));
  await output("kill", "--signal", "9", "target");
  expect(await output("wait", "target")).toBe("137");
  expect(await ramekin("kill", "target")).toMatchObject({ code: 1, stderr: expect.stringContaining("target") });
  await output("rm", "target");
});

test("[CTR-7] TERM with an init: 143", async () => {
  await output("run", "-d", "--init", "--name", "term", "busybox", "sleep", "1000");
  await eventually(async () => expect(await output("exec", "term", "ps", "-o", "comm")).toContain("sleep"));
  await output("kill", "-s", "TERM", "term");
  expect(await output("wait", "term")).toBe("143");
  await output("rm", "term");
});

test("pause freezes, unpause thaws", async () => {
  await output("run", "-d", "--name", "ice", "busybox", "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done");
  await eventually(async () => expect(await output("logs", "ice")).toContain("3"));
  await output("pause", "ice");
  expect(await status("ice")).toBe("paused");
  const frozen = await output("logs", "ice");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await output("logs", "ice")).toBe(frozen);
  await output("unpause", "ice");
  expect(await status("ice")).toBe("running");
  await eventually(async () => expect((await output("logs", "ice")).length).toBeGreaterThan(frozen.length));
  await output("rm", "-f", "ice");
});

test("[rm --force] a running one is refused without it", async () => {
  await output("run", "-d", "--name", "busy", "busybox", "sleep", "1000");
  expect(await ramekin("rm", "busy")).toMatchObject({ code: 1, stderr: expect.stringContaining("busy") });
  expect(await output("rm", "--force", "busy")).toBe("busy");
  expect((await ramekin("rm", "busy")).code).toBe(1);
});

test("several names at once; one that is wrong does not hold up the others", async () => {
  await output("create", "--name", "one", "busybox");
  await output("create", "--name", "two", "busybox");
  expect(await ramekin("rm", "one", "nobody", "two")).toMatchObject({
    code: 1,
    stdout: "one\ntwo\n",
    stderr: expect.stringContaining("nobody"),
  });
});

test("wait: several, in order", async () => {
  await output("run", "-d", "--name", "first", "busybox", "sh", "-c", "sleep 0.5; exit 4");
  await output("run", "-d", "--name", "second", "busybox", "sh", "-c", "exit 5");
  expect(await output("wait", "first", "second")).toBe("4\n5");
  await output("rm", "first", "second");
});

test("[run --sig-proxy] a signal to the command reaches the container", async () => {
  const running = here().start(["run", "--rm", ...obedient]);
  await running.saw("ready");
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 42, stdout: "ready\nbye\n" });
});

test("[system prune --force] takes what has stopped, and leaves what runs", async () => {
  await output("run", "--name", "ended", "busybox", "true");
  await output("run", "-d", "--name", "runs", "busybox", "sleep", "1000");
  const pruned = await output("system", "prune", "--force");
  expect(pruned).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n\n[\s\S]*Total reclaimed space: /);
  expect(await output("ps", "-a", "--format", "{{.Names}}")).toBe("runs");
  await output("rm", "-f", "runs");
});

test("[create --env] [create --env-file] [create --workdir] [create --user] [create --entrypoint] [create --hostname] [create --label] [create --name] mean what they mean to run", async () => {
  const flags = [
    "--env",
    "A=1",
    "--workdir",
    "/etc",
    "--user",
    "cook",
    "--hostname",
    "oven",
    "--label",
    "x=y",
    "--name",
    "same",
    "--entrypoint",
    "sh",
  ];
  await output("create", ...flags, "busybox", "-c", "echo $A $(pwd) $(id -un) $(hostname)");
  expect(await output("start", "-a", "same")).toBe("1 /etc cook oven");
  await output("rm", "same");
});

test("[create --cidfile] [create --init] [create --mount] [create --network] [create --platform] [create --read-only] [create --tmpfs] [create --volume] too", async () => {
  const data = join(here().folder, "data");
  await mkdir(data);
  await writeFile(join(data, "file"), "seen\n");
  const cidfile = join(here().folder, "cid");
  const flags = ["--cidfile", cidfile, "--init", "--network", "host", "--platform", "linux/amd64", "--read-only", "--tmpfs", "/scratch"];
  const mounts = ["--volume", `${data}:/v:ro`, "--mount", `type=bind,src=${data},dst=/m`];
  const script = "touch /scratch/x && ! touch /y 2>/dev/null && cat /v/file /m/file; hostname; cat /proc/1/comm";
  const id = await output("create", ...flags, ...mounts, "busybox", "sh", "-c", script);
  expect(await readFile(cidfile, "utf8")).toBe(id);
  expect(await output("start", "-a", id)).toBe(`seen\nseen\n${hostname()}\nramekin-init`);
  await output("rm", id);
});

test("[create --rm] [create --tty] [create --attach] a terminal, and gone afterwards", async () => {
  const id = await output("create", "--rm", "--tty", "--attach", "stdout", "busybox", "tty");
  expect(await output("start", "-a", id)).toBe("/dev/pts/0\r");
  await eventually(async () => expect((await ramekin("inspect", id)).code).toBe(1));
});

test("[create --stop-signal] [create --stop-timeout] are what stop goes by", async () => {
  const script = "trap 'echo usr1' USR1; trap '' TERM; echo ready; while :; do sleep 0.1; done";
  await output("create", "--name", "stubborn", "--stop-signal", "USR1", "--stop-timeout", "1", "busybox", "sh", "-c", script);
  await output("start", "stubborn");
  await ready("stubborn");
  await output("stop", "stubborn");
  expect(await output("logs", "stubborn")).toBe("ready\nusr1");
  expect((await here().inspect("stubborn")).State.ExitCode).toBe(137);
  await output("rm", "stubborn");
});
