import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

/** A cgroup file of a running container, by its v1 controller and name, or its v2 name. */
async function limit(name: string, v1: readonly [controller: string, file: string], v2: string): Promise<string> {
  const { State } = await here().inspect(name);
  const lines = (await readFile(`/proc/${State.Pid}/cgroup`, "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  const [controller, file] = v1;
  const first = lines.find(([, controllers]) => controllers?.split(",").includes(controller));
  const path = first
    ? join("/sys/fs/cgroup", controller, first[2] ?? "", file)
    : join("/sys/fs/cgroup", lines.find(([id]) => id === "0")?.[2] ?? "", v2);
  return (await readFile(path, "utf8")).trim();
}

const running = (name: string, ...flags: string[]) =>
  here().output(["run", "-d", "--rm", "--name", name, ...flags, "busybox", "sleep", "1000"]);

test("[run --memory] [run --cpus] [run --pids-limit] [ISO-3] the kernel holds the limits", async () => {
  await running("limited", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "20");
  expect(await limit("limited", ["memory", "memory.limit_in_bytes"], "memory.max")).toBe(`${64 << 20}`);
  expect(await limit("limited", ["pids", "pids.max"], "pids.max")).toBe("20");
  const quota = await limit("limited", ["cpu", "cpu.cfs_quota_us"], "cpu.max");
  expect(quota.split(" ")[0]).toBe("50000");
  await here().output(["rm", "-f", "limited"]);
});

test("[create --memory] [create --cpus] [create --pids-limit] hold from the start", async () => {
  await here().output(["create", "--name", "later", "--memory", "48m", "--cpus", "0.25", "--pids-limit", "30", "busybox", "sleep", "1000"]);
  await here().output(["start", "later"]);
  expect(await limit("later", ["memory", "memory.limit_in_bytes"], "memory.max")).toBe(`${48 << 20}`);
  expect(await limit("later", ["pids", "pids.max"], "pids.max")).toBe("30");
  expect((await limit("later", ["cpu", "cpu.cfs_quota_us"], "cpu.max")).split(" ")[0]).toBe("25000");
  await here().output(["rm", "-f", "later"]);
});

test("[run --pids-limit] a fork bomb stops at the limit", async () => {
  const script = "i=0; while [ $i -lt 50 ]; do sleep 5 & i=$((i+1)); done; echo all";
  const { stdout, stderr } = await here().ramekin(["run", "--rm", "--pids-limit", "10", "busybox", "sh", "-c", script]);
  expect(stdout).not.toContain("all");
  expect(stderr).toContain("fork");
});

test("[run --memory] [CTR-7] too much memory: 137, and inspect says OOMKilled", async () => {
  const hog = ["sh", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo $x | wc -c"];
  const result = await here().ramekin(["run", "--name", "hog", "--memory", "32m", "busybox", ...hog]);
  expect(result.code).toBe(137);
  expect((await here().inspect("hog")).State).toMatchObject({ OOMKilled: true, ExitCode: 137 });
  await here().output(["rm", "hog"]);
});

test("the cgroup goes with the container, and is not the supervisor's", async () => {
  const id = await running("grouped");
  const { State } = await here().inspect("grouped");
  const cgroup = await readFile(`/proc/${State.Pid}/cgroup`, "utf8");
  expect(cgroup).toContain(`/ramekin/${id}`);
  const parent = /^PPid:\s*(\d+)/m.exec(await readFile(`/proc/${State.Pid}/status`, "utf8"))?.[1];
  expect(await readFile(`/proc/${parent}/cgroup`, "utf8")).not.toContain(id);
  const folder = existsSync("/sys/fs/cgroup/memory") ? `/sys/fs/cgroup/memory/ramekin/${id}` : `/sys/fs/cgroup/ramekin/${id}`;
  expect(existsSync(folder)).toBe(true);
  await here().output(["rm", "-f", "grouped"]);
  await eventually(() => expect(existsSync(folder)).toBe(false));
});

test.each([
  ["--memory", "lots"],
  ["--memory", "1k"],
  ["--cpus", "-1"],
  ["--cpus", "0.0001"],
  ["--pids-limit", "many"],
])("%s %s is refused", async (flag, value) => {
  const before = await here().traces();
  expect((await here().ramekin(["run", "--rm", flag, value, "busybox", "true"])).code).toBe(125);
  expect(await here().traces()).toEqual(before);
});
