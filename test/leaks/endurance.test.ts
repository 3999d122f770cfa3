import { readdir, readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { busyboxImage, eventually, processesOf, useKitchen } from "../support/index.ts";
import { machineState } from "../support/machine.ts";

// RAMEKIN_SOAK=full: as much as issue 5 asks for; else what takes less than a minute.
const full = process.env["RAMEKIN_SOAK"] === "full";
const counts = full ? { runs: 1000, concurrent: 200, execs: 2000, restarts: 100 } : { runs: 24, concurrent: 16, execs: 60, restarts: 10 };
const timeout = full ? 3_600_000 : 120_000;

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args, { timeout });

/** What an endless number of containers must not make grow. Namespaces and descriptors of the supervisors are told by `/proc`. */
async function footprint() {
  const { mounts, cgroups } = await machineState();
  const files = (await here().traces()).filter((path) => !/root\/events\//.test(path));
  return {
    files,
    processes: (await processesOf(here().folder)).length,
    mounts: mounts.filter((path) => path.startsWith(here().folder)),
    // Others run containers on this machine: ours are those of this kitchen.
    cgroups: Object.keys(cgroups).filter((path) => ours.has(path.split("/").at(-1) ?? "")),
  };
}
const ours = new Set<string>();
const remember = async () => {
  for (const id of (await output("ps", "-aq", "--no-trunc")).split("\n")) if (id !== "") ours.add(id);
};

/** `work` for 0 … count - 1, `limit` at once. */
async function times(count: number, limit: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

afterAll(() => ours.clear());

test("[CTR-1] soak: one after the other, at once, executed in, restarted: nothing grows", { timeout }, async () => {
  await output("run", "--rm", "busybox", "true"); // what is made once is there
  const before = await footprint();

  await times(counts.runs, 2, async (number) => {
    expect(await output("run", "--rm", "busybox", "echo", String(number))).toBe(String(number));
  });
  expect(await eventually(footprintUnless(before))).toEqual(before);

  const names = Array.from({ length: counts.concurrent }, (_, number) => `crowd-${number}`);
  await times(counts.concurrent, 4, (number) => output("run", "-d", "--name", names[number] as string, "busybox", "sleep", "100000"));
  await remember();
  expect((await output("ps", "-q")).split("\n")).toHaveLength(counts.concurrent);
  await reportMemory();
  for (let at = 0; at < names.length; at += 50) await output("rm", "-f", ...names.slice(at, at + 50));
  expect(await eventually(footprintUnless(before))).toEqual(before);

  await output("run", "-d", "--name", "host", "busybox", "sleep", "100000");
  await remember();
  const supervisor = await supervisorOf("host");
  await output("exec", "host", "true");
  const held = await descriptors(supervisor);
  await times(counts.execs, 2, (number) =>
    output("exec", "host", "echo", String(number)).then((said) => expect(said).toBe(String(number))),
  );
  await eventually(async () => expect(await descriptors(supervisor)).toBe(held));
  expect((await output("top", "host")).split("\n")).toHaveLength(2);
  await output("rm", "-f", "host");

  await output("run", "-d", "--name", "again", "busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done");
  await remember();
  for (let count = 0; count < counts.restarts; count++) await output("restart", "--timeout", "1", "again");
  expect((await here().inspect("again")).State.Status).toBe("running");
  await output("rm", "-f", "again");
  expect(await eventually(footprintUnless(before))).toEqual(before);
});

/** Supervisors tidy up after they have answered: until then it may still be more. */
const footprintUnless = (before: Awaited<ReturnType<typeof footprint>>) => async () => {
  const now = await footprint();
  if (JSON.stringify(now) !== JSON.stringify(before)) expect(now).toEqual(before);
  return now;
};

async function supervisorOf(name: string): Promise<number> {
  const status = await readFile(`/proc/${(await here().inspect(name)).State.Pid}/status`, "utf8");
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
}

const descriptors = async (pid: number) => (await readdir(`/proc/${pid}/fd`)).length;

/** Not an assertion: what is in memory depends on the machine. */
async function reportMemory(): Promise<void> {
  const pids = (await processesOf(here().folder)).filter((line) => line.includes("ramekin-shim")).map((line) => line.split(" ")[0]);
  const sizes = await Promise.all(
    pids.map(async (pid) => Number(/^Pss:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => ""))?.[1] ?? 0)),
  );
  const average = sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length);
  process.stderr.write(`soak: ${sizes.length} supervisors, ${average.toFixed(0)} kB each (PSS)\n`);
}
