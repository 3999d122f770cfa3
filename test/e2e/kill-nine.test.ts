import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage, eventually, type Inspected, processesOf, seeded, useKitchen } from "../support/index.ts";
import { machineState } from "../support/machine.ts";

// RAMEKIN_SOAK=full: many rounds with a seed of their own; RAMEKIN_SEED repeats those of a failure.
const full = process.env["RAMEKIN_SOAK"] === "full";
const seed = Number(process.env["RAMEKIN_SEED"] ?? (full ? Date.now() % 1e6 : 4711));
const rounds = full ? 20 : 1;
const timeout = full ? 3_600_000 : 180_000;

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);

const loop = "trap 'exit 0' TERM; while :; do echo x; sleep 0.05; done";
const states = {
  none: [],
  created: [["create", "--name", "k1", "-v", "/nameless", "busybox", "sh", "-c", loop]],
  running: [["run", "-d", "--name", "k1", "-v", "/nameless", "busybox", "sh", "-c", loop]],
  paused: [
    ["run", "-d", "--name", "k1", "busybox", "sh", "-c", loop],
    ["pause", "k1"],
  ],
  exited: [["run", "--name", "k1", "busybox", "touch", "/made"]],
} as const;

/** Each verb that changes something or stays for a while, and from where. */
const verbs: readonly (readonly [from: keyof typeof states, ...args: string[]])[] = [
  ["none", "create", "--name", "k1", "-v", "/nameless", "-v", "named:/data", "busybox", "true"],
  ["none", "run", "--name", "k1", "busybox", "sh", "-c", loop],
  ["none", "run", "-d", "--name", "k1", "-v", "named:/data", "busybox", "sh", "-c", loop],
  ["none", "run", "--rm", "--name", "k1", "busybox", "sleep", "0.1"],
  ["none", "run", "-d", "--restart", "always", "--name", "k1", "busybox", "sleep", "0.05"],
  ["none", "run", "-d", "--health-cmd", "true", "--health-interval", "50ms", "--name", "k1", "busybox", "sh", "-c", loop],
  ["created", "start", "k1"],
  ["exited", "start", "-a", "k1"],
  ["running", "stop", "-t", "1", "k1"],
  ["running", "kill", "k1"],
  ["running", "restart", "-t", "1", "k1"],
  ["running", "pause", "k1"],
  ["paused", "unpause", "k1"],
  ["running", "exec", "k1", "sh", "-c", "echo x > /x; sleep 0.2"],
  ["running", "exec", "-d", "k1", "sleep", "100"],
  ["running", "attach", "--no-stdin", "k1"],
  ["running", "wait", "k1"],
  ["running", "logs", "-f", "k1"],
  ["running", "cp", "/bin/busybox", "k1:/tmp/copy"],
  ["running", "commit", "k1", "killed-commit"],
  ["running", "update", "--memory", "64m", "--memory-swap", "64m", "k1"],
  ["running", "rename", "k1", "k2"],
  ["running", "fork", "--name", "k2", "k1"],
  ["exited", "reset", "k1"],
  ["running", "rm", "-f", "-v", "k1"],
  ["exited", "rm", "k1"],
  ["exited", "container", "prune", "-f"],
];

test("[CTR-1] the command or the supervisor is killed at any moment of any verb: what is told is right, rm -f works, nothing stays", {
  timeout,
}, async () => {
  process.stderr.write(`kill -9: RAMEKIN_SEED=${seed}\n`);
  const random = seeded(seed);
  await output("volume", "create", "named");
  // With its first use, a lock and an empty folder come to stay in it.
  await output("run", "--rm", "-v", "named:/data", "busybox", "true");
  // What --rm takes away goes after the answer.
  await eventually(
    async () => expect((await footprint()).files.filter((path) => /holders\/.|containers\/[0-9a-f]/.test(path))).toEqual([]),
    20,
  );
  const before = await footprint();
  for (let round = 0; round < rounds; round++) {
    for (const [index, [from, ...args]] of verbs.entries()) {
      // Half a minute has room for every third: the first, which makes a container, and those that follow.
      if (!full && index % 3 !== 0) continue;
      // In CI each verb has one victim, and its neighbour the other.
      const victims = full ? (["command", "supervisor"] as const) : ([index % 6 === 0 ? "command" : "supervisor"] as const);
      for (const victim of victims) {
        for (const preparation of states[from]) await output(...preparation);
        const delay = 20 + random() * 400;
        const said = `${victim} of ${args.join(" ")} after ${delay.toFixed(0)} ms, round ${round}`;
        await killed(victim, args, delay).catch((error: unknown) => expect.fail(`${said}: ${error}`));
        await expectTruth(said);
        await expectRemovable(said);
      }
    }
    await here().ramekin(["rmi", "-f", "killed-commit"]);
    await output("system", "prune", "-f");
    await output("volume", "prune", "-f");
    // A command killed in the middle of filling it leaves a note of that, for who mounts it next.
    await output("run", "--rm", "-v", "named:/data", "busybox", "true");
    await eventually(async () => expect(await footprint(), `round ${round}`).toEqual(before), 20);
  }
  await output("volume", "rm", "named");
});

const openEnds = [
  { args: ["exec", "watched", "sleep", "1000"], code: 137 },
  { args: ["logs", "-f", "--tail", "1", "watched"], code: 0 },
  { args: ["attach", "--no-stdin", "watched"], code: 137 },
  { args: ["wait", "watched"], code: 0 },
  { args: ["start", "-a", "watched"], code: 137 },
] as const;

test("[CTR-1] the supervisor of one that is restarted, checked, executed in and followed is killed: all of them end and tell the truth", {
  timeout,
}, async () => {
  const policy = ["--restart", "always", "--health-cmd", "true", "--health-interval", "100ms"];
  await output("run", "-d", "--name", "watched", ...policy, "busybox", "sh", "-c", loop);
  const random = seeded(seed);
  for (let round = 0; round < rounds; round++) {
    const open = openEnds.map(({ args, code }) => ({ said: args.join(" "), code, running: here().start(args, { timeout: 30_000 }) }));
    await eventually(async () => {
      expect(await output("top", "watched")).toContain("sleep 1000");
      expect((await output("ps")).split("\n")[1]).toContain("(healthy)");
    });
    await sleep(300 + random() * 400);
    const { Pid } = (await here().inspect("watched")).State;
    for (const pid of await supervisors()) kill(pid);

    for (const { said, code, running } of open) {
      const ended = await running.ended;
      expect(ended.code, `${said}: ${ended.stderr}`).toBe(code);
      if (said.startsWith("wait")) expect(ended.stdout).toBe("137\n");
    }
    await eventually(() => expect(existsSync(`/proc/${Pid}`)).toBe(false)); // reaped by whoever has inherited it
    expect((await here().inspect("watched")).State).toMatchObject({
      Status: "exited",
      Running: false,
      Restarting: false,
      Pid: 0,
      ExitCode: 137,
      Error: "monitor lost",
    });
    expect(await output("ps", "-a", "--format", "{{.State}} {{.Status}}")).toMatch(/^exited Exited \(137\) /);
    expect(await output("wait", "watched")).toBe("137");
    expect(await here().ramekin(["exec", "watched", "true"])).toMatchObject({ code: 1, stderr: expect.stringContaining("is not running") });
    expect((await output("logs", "watched")).replaceAll(/x\n?/g, "")).toBe("");

    // Nobody is there to restart it, but whoever starts it brings its policy back.
    await output("start", "watched");
    await here().ramekin(["exec", "watched", "kill", "-TERM", "1"]);
    await eventually(async () => {
      const { State, RestartCount } = await here().inspect<Inspected & { RestartCount: number }>("watched");
      expect({ status: State.Status, restarted: RestartCount > 0 }).toEqual({ status: "running", restarted: true });
    });
  }

  await output("rm", "-f", "watched");
  expect(await processesOf(here().folder)).toEqual([]);
});

test("[run --rm] the supervisor is killed: the command ends with 137, and the next one finds nothing left of the container", {
  timeout,
}, async () => {
  const before = await footprint();
  const running = here().start(["run", "--rm", "--name", "brief", "busybox", "sh", "-c", loop], { timeout: 30_000 });
  await running.saw("x");
  for (const pid of await supervisors()) kill(pid);
  expect(await running.ended).toMatchObject({ code: 137 });
  expect(await output("ps", "-aq")).toBe("");
  await eventually(async () => expect(await footprint()).toEqual(before));
});

async function killed(victim: "command" | "supervisor", args: readonly string[], delay: number): Promise<void> {
  const running = here().start(args, { timeout: 30_000 });
  await sleep(delay);
  if (victim === "command") running.child.kill("SIGKILL");
  else for (const pid of await supervisors()) kill(pid);
  // Where there was no supervisor yet, the command goes on for as long as its container.
  const over = await Promise.race([running.ended.then(() => true), sleep(victim === "command" ? 8000 : 2500).then(() => false)]);
  if (over) return;
  const ids = await containers();
  if (ids.length > 0) await here().ramekin(["kill", ...ids]);
  await running.ended;
}

const supervisors = async () =>
  (await processesOf(here().folder)).filter((line) => line.includes("ramekin-shim")).map((line) => Number.parseInt(line, 10));

/** It may just have gone. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const containers = async () => (await output("ps", "-aq", "--no-trunc")).split("\n").filter((id) => id !== "");

/** Who is said to run does, and who is said not to does not. */
async function expectTruth(said: string): Promise<void> {
  await eventually(async () => {
    for (const id of await containers()) {
      const { code, stdout } = await here().ramekin(["container", "inspect", id]);
      if (code !== 0) continue; // gone meanwhile: `run --rm`, or a removal that goes on without its command
      const { State } = (JSON.parse(stdout) as [Inspected])[0];
      const { Status, Pid } = State;
      if (Status === "restarting") continue;
      const alive = Pid > 0 && existsSync(`/proc/${Pid}`);
      expect({ Status, alive }, said).toEqual({ Status, alive: Status === "running" || Status === "paused" });
    }
  });
}

async function expectRemovable(said: string): Promise<void> {
  const ids = await containers();
  if (ids.length > 0) {
    const { code, stderr } = await here().ramekin(["rm", "-f", "-v", ...ids]);
    // What was on its way out may have gone first.
    expect({ code, stderr: stderr.replace(/^.*no such container.*\n/gm, "") }, said).toEqual({ code: expect.any(Number), stderr: "" });
    expect(await containers(), said).toEqual([]);
  }
  await eventually(async () => expect(await processesOf(here().folder), said).toEqual([]));
}

/** Locks, and the empty places of a storage driver: made when they are first wanted, as by a system prune. */
const madeOnce = /\/\.?lock$|^root\/storage\/[^/]+\/(?:(?:keys|l|tmp|trash)\/)?$/;

async function footprint() {
  const { mounts } = await machineState();
  return {
    // The journal grows; what has begun to come in may go on, and is told by the kitchen's own check.
    files: (await here().traces()).filter((path) => !/^root\/(?:events|images|build-cache)\//.test(path) && !madeOnce.test(path)),
    // Cgroups are of all tests that run at this moment: those that nobody takes away are found after the last of them.
    mounts: mounts.filter((path) => path.startsWith(here().folder)),
  };
}
