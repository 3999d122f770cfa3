import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const v1 = existsSync("/sys/fs/cgroup/memory");

/** A file of a running container's group, by controller and name of v1, or by its name of v2. */
async function limit(name: string, controller: string, one: string, two: string): Promise<string> {
  const { Id } = await here().inspect(name);
  const path = v1 ? join("/sys/fs/cgroup", controller, "ramekin", Id, one) : join("/sys/fs/cgroup/ramekin", Id, two);
  return (await readFile(path, "utf8")).trim();
}
const hostConfig = async (name: string) => (await here().inspect<{ HostConfig: Record<string, unknown> }>(name)).HostConfig;

describe("a container that runs", () => {
  beforeAll(async () => {
    await here().output(["run", "-d", "--name", "live", "--memory", "64m", "--pids-limit", "20", "busybox", "sleep", "1000"]);
    // biome-ignore format: one flag and its value after the other
    const said = await here().output(["update", "--memory", "96m", "--memory-swap", "160m", "--memory-reservation", "32m", "--cpu-shares",
      "256", "--cpu-period", "50000", "--cpu-quota", "25000", "--cpuset-cpus", "0", "--cpuset-mems", "0", "--pids-limit", "30",
      "--blkio-weight", "200", "--restart", "on-failure:3", "live"]);
    expect(said).toBe("live");
    return () => here().output(["rm", "-f", "live"]);
  });

  test("[update --memory] [update --memory-swap] [update --memory-reservation] memory", async () => {
    expect(await limit("live", "memory", "memory.limit_in_bytes", "memory.max")).toBe(`${96 << 20}`);
    expect(await limit("live", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")).toBe(`${(v1 ? 160 : 64) << 20}`);
    expect(await limit("live", "memory", "memory.soft_limit_in_bytes", "memory.low")).toBe(`${32 << 20}`);
  });
  test("[update --cpu-shares] [update --cpu-period] [update --cpu-quota] [update --cpuset-cpus] [update --cpuset-mems] processors", async () => {
    expect(await limit("live", "cpu", "cpu.shares", "cpu.weight")).toBe(v1 ? "256" : "10");
    expect(await limit("live", "cpu", "cpu.cfs_quota_us", "cpu.max")).toBe(v1 ? "25000" : "25000 50000");
    expect(await limit("live", "cpuset", "cpuset.cpus", "cpuset.cpus")).toBe("0");
    expect(await limit("live", "cpuset", "cpuset.mems", "cpuset.mems")).toBe("0");
  });
  test("[update --pids-limit] [update --blkio-weight] processes and block IO", async ({ skip }) => {
    expect(await limit("live", "pids", "pids.max", "pids.max")).toBe("30");
    if (!v1) skip("no bfq on this machine's cgroup v2");
    expect(await limit("live", "blkio", "blkio.bfq.weight", "io.bfq.weight")).toBe("200");
  });
  test("[update --restart] and the rest: inspect tells, and a new start keeps it", async () => {
    const wanted = { Memory: 96 << 20, CpuShares: 256, PidsLimit: 30, RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } };
    expect(await hostConfig("live")).toMatchObject(wanted);
    await here().output(["restart", "-t", "0", "live"]);
    expect(await limit("live", "memory", "memory.limit_in_bytes", "memory.max")).toBe(`${96 << 20}`);
    expect(await limit("live", "pids", "pids.max", "pids.max")).toBe("30");
  });
  test("what contradicts what it has is refused, and nothing changes", async () => {
    const { code, stderr } = await here().ramekin(["update", "--cpus", "1", "--memory", "1g", "live"]);
    expect(code).toBe(1);
    expect(stderr).toContain("a number of CPUs excludes the CPU period or quota that it has");
    expect(stderr).toContain("update --memory-swap at the same time");
    expect(await limit("live", "memory", "memory.limit_in_bytes", "memory.max")).toBe(`${96 << 20}`);
  });
});

test("[update --cpus] [update --memory] [CTR-1] a container that does not run has it at its next start", async () => {
  await here().output(["create", "--name", "idle", "busybox", "sleep", "1000"]);
  expect(await here().output(["update", "--cpus", "0.25", "-m", "48m", "idle"])).toBe("idle");
  expect(await hostConfig("idle")).toMatchObject({ NanoCpus: 250_000_000, Memory: 48 << 20 });
  await here().output(["start", "idle"]);
  expect((await limit("idle", "cpu", "cpu.cfs_quota_us", "cpu.max")).split(" ")[0]).toBe("25000");
  expect(await limit("idle", "memory", "memory.limit_in_bytes", "memory.max")).toBe(`${48 << 20}`);
});

test("[update --cpu-rt-runtime] [update --cpu-rt-period] without real time to give it is refused", async () => {
  const { code, stderr } = await here().ramekin(["update", "--cpu-rt-runtime", "1000", "--cpu-rt-period", "10000", "idle"]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/real time/)]);
});

test("several at once; what is wrong with the line or a name", async () => {
  await here().output(["create", "--name", "other", "busybox"]);
  const some = await here().ramekin(["update", "--pids-limit", "5", "other", "nobody", "idle"]);
  expect([some.code, some.stdout]).toEqual([1, "other\nidle\n"]);
  expect(some.stderr).toContain("no such container: nobody");
  const none = await here().ramekin(["update", "other"]);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("you must provide one or more flags")]);
  expect((await here().ramekin(["update", "--restart", "often", "other"])).code).toBe(1);
});
