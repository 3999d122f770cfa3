import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, command, eventually, missing, succeed, useKitchen } from "../support/index.ts";

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

const v1 = existsSync("/sys/fs/cgroup/memory");

/** A loop device of our own, with the one scheduler that knows weights. */
let device: { readonly path: string; readonly number: string } | undefined;
beforeAll(async () => {
  if (process.getuid?.() !== 0 || missing("losetup") !== undefined) return undefined;
  const folder = await mkdtemp("/var/tmp/ramekin-loop-");
  const file = join(folder, "disk");
  await writeFile(file, new Uint8Array(1 << 20));
  const { code, stdout } = await command(["losetup", "--find", "--show", file]);
  const path = stdout.trim();
  if (code !== 0 || path === "") return () => rm(folder, { recursive: true });
  const block = `/sys/block/${path.slice("/dev/".length)}`;
  await writeFile(`${block}/queue/scheduler`, "bfq").catch(() => undefined); // a module that is not there
  device = { path, number: (await readFile(`${block}/dev`, "utf8")).trim() };
  return async () => {
    await writeFile(`${block}/queue/scheduler`, "none");
    await succeed(["losetup", "--detach", path]);
    await rm(folder, { recursive: true });
  };
});

test("[update --blkio-weight-device] [update --device-read-bps] [update --device-read-iops] [update --device-write-bps] [update --device-write-iops] [update --memory-swappiness] limits of a container that runs", async ({
  skip,
}) => {
  if (device === undefined) return skip("no block device");
  const { path, number } = device;
  await running("changing");
  const rates = ["--device-read-bps", `${path}:1mb`, "--device-write-bps", `${path}:2mb`];
  const counts = ["--device-read-iops", `${path}:300`, "--device-write-iops", `${path}:400`];
  const more = v1 ? ["--blkio-weight-device", `${path}:600`, "--memory-swappiness", "30"] : [];
  await here().output(["update", ...rates, ...counts, ...more, "changing"]);
  if (!v1) expect(await limit("changing", ["", ""], "io.max")).toBe(`${number} rbps=${1 << 20} wbps=${2 << 20} riops=300 wiops=400`);
  const files = { read_bps: 1 << 20, write_bps: 2 << 20, read_iops: 300, write_iops: 400 };
  for (const [file, value] of Object.entries(v1 ? files : {}))
    expect(await limit("changing", ["blkio", `blkio.throttle.${file}_device`], "")).toBe(`${number} ${value}`);
  if (v1) expect(await limit("changing", ["blkio", "blkio.bfq.weight_device"], "")).toContain(`${number} 600`);
  if (v1) expect(await limit("changing", ["memory", "memory.swappiness"], "")).toBe("30");
  expect(await here().ramekin(["update", "--device-read-bps", "/dev/none:1mb", "changing"])).toMatchObject({ code: 1 });
  expect(await here().ramekin(["update", "--memory-swappiness", "101", "changing"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("not between 0 and 100"),
  });
  await here().output(["rm", "-f", "changing"]);
});

describe("one container with all limits", () => {
  beforeAll(async () => {
    const group = `/ramekin-limits-${process.pid}`;
    const blkio = device === undefined ? [] : ["--blkio-weight-device", `${device.path}:700`, "--device-read-bps", `${device.path}:1mb`];
    const more = device === undefined ? [] : ["--device-write-bps", `${device.path}:2mb`, "--device-read-iops", `${device.path}:300`];
    const iops = device === undefined ? [] : ["--device-write-iops", `${device.path}:400`];
    // biome-ignore format: one flag and its value after the other
    await running("all",
      "--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--memory-swappiness", "20", "--oom-kill-disable",
      "--oom-score-adj", "300", "--cpu-shares", "512", "--cpu-period", "50000", "--cpu-quota", "20000", "--cpuset-cpus", "0",
      "--cpuset-mems", "0", "--blkio-weight", "300", ...blkio, ...more, ...iops, "--shm-size", "5m", "--cgroup-parent", group,
      "--ulimit", "nofile=100:200", "--ulimit", "core=0", "--sysctl", "net.ipv4.ip_default_ttl=42", "--sysctl", "kernel.msgmax=4096");
    return async () => {
      await here().output(["rm", "-f", "all"]);
      const left = readdirSync("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name, group));
      for (const folder of [...left, join("/sys/fs/cgroup", group)]) if (existsSync(folder)) await eventually(() => rmdir(folder));
    };
  });

  test("[run --memory-swap] [run --memory-reservation] memory", async () => {
    expect(await limit("all", ["memory", "memory.memsw.limit_in_bytes"], "memory.swap.max")).toBe(`${(v1 ? 96 : 32) << 20}`);
    expect(await limit("all", ["memory", "memory.soft_limit_in_bytes"], "memory.low")).toBe(`${32 << 20}`);
  });
  test("[run --memory-swappiness] [run --oom-kill-disable] what only cgroup v1 has", async ({ skip }) => {
    if (!v1) skip("no cgroup v1");
    expect(await limit("all", ["memory", "memory.swappiness"], "")).toBe("20");
    expect(await limit("all", ["memory", "memory.oom_control"], "")).toContain("oom_kill_disable 1");
  });
  test("[run --cpu-shares] [run --cpu-period] [run --cpu-quota] [run --cpuset-cpus] [run --cpuset-mems] processors", async () => {
    expect(await limit("all", ["cpu", "cpu.shares"], "cpu.weight")).toBe(v1 ? "512" : "20");
    const quota = await limit("all", ["cpu", "cpu.cfs_quota_us"], "cpu.max");
    expect(quota).toBe(v1 ? "20000" : "20000 50000");
    if (v1) expect(await limit("all", ["cpu", "cpu.cfs_period_us"], "")).toBe("50000");
    expect(await limit("all", ["cpuset", "cpuset.cpus"], "cpuset.cpus")).toBe("0");
    expect(await limit("all", ["cpuset", "cpuset.mems"], "cpuset.mems")).toBe("0");
  });
  test("[run --blkio-weight] block IO", async ({ skip }) => {
    if (!v1) skip("no bfq on this machine's cgroup v2");
    expect(await limit("all", ["blkio", "blkio.bfq.weight"], "io.bfq.weight")).toBe("300");
  });
  const rates = "[run --device-read-bps] [run --device-write-bps] [run --device-read-iops] [run --device-write-iops]";
  test(`[run --blkio-weight-device] ${rates} block devices`, async ({ skip }) => {
    if (device === undefined) return skip("no block device");
    const { number } = device;
    const line = (value: string | number) => `${number} ${value}`;
    if (!v1) {
      expect(await limit("all", ["", ""], "io.max")).toBe(line(`rbps=${1 << 20} wbps=${2 << 20} riops=300 wiops=400`));
      return;
    }
    expect(await limit("all", ["blkio", "blkio.bfq.weight_device"], "")).toContain(line(700));
    expect(await limit("all", ["blkio", "blkio.throttle.read_bps_device"], "")).toBe(line(1 << 20));
    expect(await limit("all", ["blkio", "blkio.throttle.write_bps_device"], "")).toBe(line(2 << 20));
    expect(await limit("all", ["blkio", "blkio.throttle.read_iops_device"], "")).toBe(line(300));
    expect(await limit("all", ["blkio", "blkio.throttle.write_iops_device"], "")).toBe(line(400));
  });
  test("[run --cgroup-parent] the group is in another one", async () => {
    const { State, Id } = await here().inspect("all");
    expect(await readFile(`/proc/${State.Pid}/cgroup`, "utf8")).toContain(`/ramekin-limits-${process.pid}/${Id}`);
  });
  test("[run --ulimit] [run --oom-score-adj] limits of the process", async () => {
    const { State } = await here().inspect("all");
    const limits = await readFile(`/proc/${State.Pid}/limits`, "utf8");
    expect(limits).toMatch(/Max open files\s+100\s+200/);
    expect(limits).toMatch(/Max core file size\s+0\s+0/);
    expect((await readFile(`/proc/${State.Pid}/oom_score_adj`, "utf8")).trim()).toBe("300");
  });
  test("[run --sysctl] [run --shm-size] the kernel's settings and shared memory", async () => {
    const script = "cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax; df -k /dev/shm | tail -1";
    const [ttl, most, shm] = (await here().output(["exec", "all", "sh", "-c", script])).split("\n");
    expect([ttl, most]).toEqual(["42", "4096"]);
    expect(shm).toMatch(/^shm\s+5120\s/);
  });
  test("[inspect] HostConfig says what was asked for", async () => {
    const { HostConfig } = await here().inspect<{ HostConfig: Record<string, unknown> }>("all");
    expect(HostConfig).toMatchObject({
      Memory: 64 << 20,
      MemorySwap: 96 << 20,
      MemoryReservation: 32 << 20,
      MemorySwappiness: 20,
      OomKillDisable: true,
      OomScoreAdj: 300,
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: 20_000,
      NanoCpus: 0,
      CpusetCpus: "0",
      CpusetMems: "0",
      BlkioWeight: 300,
      ShmSize: 5 << 20,
      Ulimits: [
        { Name: "nofile", Soft: 100, Hard: 200 },
        { Name: "core", Soft: 0, Hard: 0 },
      ],
      Sysctls: { "net.ipv4.ip_default_ttl": "42", "kernel.msgmax": "4096" },
      CgroupParent: `/ramekin-limits-${process.pid}`,
    });
  });
});

test("[run --device] [run --device-cgroup-rule] devices", async () => {
  const script = "ls -l /dev/nothing /dev/below/full /srv/zero; head -c 3 /srv/zero | wc -c; echo x > /dev/nothing && echo written";
  const more = "mknod /dev/ours c 1 3 && echo y > /dev/ours && echo opened; mknod /dev/tun c 10 200; cat /dev/tun";
  const folder = join(here().folder, "devices");
  await mkdir(folder);
  await succeed(["mknod", join(folder, "full"), "c", "1", "7"]);
  const { stdout, stderr } = await here().ramekin(
    // biome-ignore format: one flag and its value after the other
    ["run", "--rm", "--device", "/dev/null:/dev/nothing:rm", "--device", `${folder}:/dev/below`, "--device", "/dev/zero:/srv/zero",
      "--device-cgroup-rule", "c 10:200 m", "busybox", "sh", "-c", `${script}; ${more}`],
  );
  expect(stdout).toMatch(/1, +3 .*\/dev\/nothing/);
  expect(stdout).toMatch(/1, +7 .*\/dev\/below\/full/);
  expect(stdout).toMatch(/1, +5 .*\/srv\/zero\n3\n/);
  // /dev/null is one of the default devices: those stay open
  expect(stdout).toContain("written\nopened\n");
  expect(stderr).toContain("Operation not permitted");
});

test("[run --device-cgroup-rule] opens what is closed", async ({ skip }) => {
  if (device === undefined) return skip("no block device");
  const [major, minor] = device.number.split(":");
  const script = `mknod /dev/disk b ${major} ${minor}; head -c 1 /dev/disk | wc -c`;
  const run = (...flags: string[]) => here().ramekin(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);
  expect((await run()).stdout).toBe("0\n");
  expect((await run("--device-cgroup-rule", `b ${major}:* rm`)).stdout).toBe("1\n");
});

test("[run --cpu-rt-runtime] [run --cpu-rt-period] real time comes from the parent", async ({ skip }) => {
  const cpu = "/sys/fs/cgroup/cpu";
  if (!existsSync(join(cpu, "cpu.rt_runtime_us"))) skip("this cpu controller has no real time");
  const without = await here().ramekin(["run", "--rm", "--cpu-rt-runtime", "10000", "busybox", "true"]);
  expect(without.code).toBe(125);
  expect(without.stderr).toContain("the control group /ramekin has no real time to give");
  const parent = `ramekin-rt-${process.pid}`;
  await mkdir(join(cpu, parent));
  try {
    await writeFile(join(cpu, parent, "cpu.rt_runtime_us"), "20000");
    const flags = ["--cgroup-parent", parent, "--cpu-rt-runtime", "10000", "--cpu-rt-period", "500000"];
    await running("timely", ...flags);
    expect(await limit("timely", ["cpu", "cpu.rt_runtime_us"], "")).toBe("10000");
    expect(await limit("timely", ["cpu", "cpu.rt_period_us"], "")).toBe("500000");
    await here().output(["rm", "-f", "timely"]);
  } finally {
    await eventually(() => rmdir(join(cpu, parent)));
  }
});

test("[run --cgroup-conf] files of cgroup v2 are set, or refused where there are none", async () => {
  const flags = ["--cgroup-conf", "memory.high=50000000"];
  if (existsSync("/sys/fs/cgroup/memory")) {
    const { code, stderr } = await here().ramekin(["run", "--rm", ...flags, "busybox", "true"]);
    expect([code, stderr]).toEqual([125, expect.stringContaining("this machine's controllers are those of v1")]);
    return;
  }
  await running("unified", ...flags);
  expect(await limit("unified", ["", ""], "memory.high")).toBe("49999872");
  await here().output(["rm", "-f", "unified"]);
});

test("all that is wrong with the limits is told at once", async () => {
  const before = await here().traces();
  // biome-ignore format: one flag and its value after the other
  const { code, stderr } = await here().ramekin(["run", "--rm", "--memory", "64m", "--memory-swap", "32m", "--cpus", "0.5",
    "--cpu-quota", "5000", "--cpuset-cpus", "0-999", "--blkio-weight", "5", "--device", "/dev/no-such", "--ulimit", "nofile=999999999",
    "--sysctl", "kernel.hostname=x", "--oom-score-adj", "2000", "--device-cgroup-rule", "c 1", "busybox", "true"]);
  expect(code).toBe(125);
  expect(stderr.split("\n").filter((line) => line.startsWith("  - "))).toHaveLength(canRaise() ? 8 : 9);
  for (const part of ["less than memory alone", "exclude each other", "requested CPUs", "weight of 5", "/dev/no-such does not exist"])
    expect(stderr).toContain(part);
  for (const part of ["sysctl kernel.hostname is not allowed", "adjustment of 2000", "no device rule: c 1"]) expect(stderr).toContain(part);
  expect(await here().traces()).toEqual(before);
});

test("[run --ulimit] [run --oom-score-adj] what takes CAP_SYS_RESOURCE is refused without it, and -1 is no limit", async ({ skip }) => {
  const show = ["busybox", "sh", "-c", "grep core /proc/self/limits"];
  expect(await here().output(["run", "--rm", "--ulimit", "core=-1", ...show])).toMatch(/unlimited +unlimited/);
  if (canRaise()) return skip("this root may raise limits");
  const { code, stderr } = await here().ramekin([
    "run",
    "--rm",
    "--ulimit",
    "nofile=1:99999999",
    "--oom-score-adj",
    "-900",
    "busybox",
    "true",
  ]);
  expect(code).toBe(125);
  expect(stderr).toMatch(/ulimit nofile=1:99999999 is more than our own hard limit of \d+, which only CAP_SYS_RESOURCE may raise/);
  expect(stderr).toContain("an OOM score adjustment of -900 is below our own of 0, which takes CAP_SYS_RESOURCE");
});

/** With CAP_SYS_RESOURCE a limit above one's own is nothing wrong. */
function canRaise(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}

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
