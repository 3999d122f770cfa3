import { readdir } from "node:fs/promises";
import { expect, inject, test } from "vitest";
import { eventually, processesOf } from "../support/index.ts";
import { ancestry, machineState } from "../support/machine.ts";

// Runs after all others of its run, which have made and removed some hundreds of containers.
const before = inject("before");
const folder = inject("folder");

test("no kitchen and no other temporary file is left", async () => {
  expect(await readdir(folder)).toEqual([]);
});

test("no process of ours is left", async () => {
  await eventually(async () => expect(await processesOf(folder)).toEqual([]));
});

test("no mount is left", async () => {
  const { mounts } = await machineState();
  expect(mounts.filter((path) => !before.mounts.includes(path))).toEqual([]);
});

test("no cgroup is left", async () => {
  await eventually(async () => {
    const ours = await Promise.all((await processesOf(folder)).map((line) => Number(line.split(" ")[0])));
    const left: string[] = [];
    for (const [path, pids] of Object.entries((await machineState()).cgroups)) {
      // Others may run containers on this machine: theirs have processes, and those are not children of ours.
      const [first] = pids;
      const foreign = first !== undefined && !(await ancestry(first)).some((pid) => ours.includes(pid));
      if (!(path in before.cgroups) && !foreign) left.push(path);
    }
    expect(left).toEqual([]);
  });
});

test("no namespace is kept by a mount", async () => {
  const { mounts } = await machineState();
  expect(mounts.filter((path) => path.includes("netns") && !before.mounts.includes(path))).toEqual([]);
});
