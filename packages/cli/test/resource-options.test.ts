import { expect, test } from "vitest";
import { parse } from "../src/argv/parse.ts";
import { containerFlags } from "../src/container/flags.ts";
import { containerOptions } from "../src/container/options.ts";

const surroundings = { environment: {}, workingDirectory: "/here" };

async function asked(...argv: string[]) {
  const { flags, arguments: words } = parse([...argv, "debian"], { flags: containerFlags, stopAtArgument: true });
  return await containerOptions(flags, words, surroundings);
}

const both = (flag: string) => `[run ${flag}] [create ${flag}]`;

test.each(
  [
    [["--memory-swap", "-1"], { resources: { memory: { swap: -1 } } }],
    [["--memory-reservation", "8m"], { resources: { memory: { reservation: 8 << 20 } } }],
    [["--memory-swappiness", "0"], {}],
    [["--memory-swappiness", "60"], { resources: { memory: { swappiness: 60 } } }],
    [["--oom-kill-disable"], { resources: { memory: { disableOOMKiller: true } } }],
    [["--oom-score-adj", "-5"], { oomScoreAdj: -5 }],
    [["--cpu-shares", "100"], { resources: { cpu: { shares: 100 } } }],
    [["--cpu-period", "1000"], { resources: { cpu: { period: 1000 } } }],
    [["--cpu-quota", "2000"], { resources: { cpu: { quota: 2000 } } }],
    [["--cpu-rt-period", "3000"], { resources: { cpu: { realtimePeriod: 3000 } } }],
    [["--cpu-rt-runtime", "4000"], { resources: { cpu: { realtimeRuntime: 4000 } } }],
    [["--cpuset-cpus", "0-1"], { resources: { cpu: { cpus: "0-1" } } }],
    [["--cpuset-mems", "0"], { resources: { cpu: { mems: "0" } } }],
    [["--blkio-weight", "50"], { blockIO: { weight: 50 } }],
    [["--blkio-weight-device", "/dev/sda:60"], { blockIO: { weights: [{ path: "/dev/sda", weight: 60 }] } }],
    [["--device-read-bps", "/dev/sda:1kb"], { blockIO: { readBps: [{ path: "/dev/sda", rate: 1024 }] } }],
    [["--device-write-bps", "/dev/sda:2"], { blockIO: { writeBps: [{ path: "/dev/sda", rate: 2 }] } }],
    [["--device-read-iops", "/dev/sda:3"], { blockIO: { readIops: [{ path: "/dev/sda", rate: 3 }] } }],
    [["--device-write-iops", "/dev/sda:4"], { blockIO: { writeIops: [{ path: "/dev/sda", rate: 4 }] } }],
    [["--device", "/dev/a"], { devices: [{ source: "/dev/a" }] }],
    [["--device", "/dev/a:r"], { devices: [{ source: "/dev/a", access: "r" }] }],
    [["--device", "/dev/a:/dev/b:rw"], { devices: [{ source: "/dev/a", target: "/dev/b", access: "rw" }] }],
    [["--device-cgroup-rule", "c 1:3 r"], { deviceRules: ["c 1:3 r"] }],
    [["--shm-size", "1g"], { shmSize: 1 << 30 }],
    [["--sysctl", "net.core.somaxconn=5"], { sysctls: { "net.core.somaxconn": "5" } }],
    [["--ulimit", "nofile=1:2"], { ulimits: { nofile: { soft: 1, hard: 2 } } }],
    [["--ulimit", "core=-1"], { ulimits: { core: { soft: -1, hard: -1 } } }],
    [["--cgroup-parent", "/x"], { cgroupParent: "/x" }],
    [["--cgroup-conf", "memory.high=1"], { resources: { unified: { "memory.high": "1" } } }],
  ].map(([argv, wanted]) => [both((argv as string[])[0] as string), argv, wanted] as const),
)("%s %j", async (_, argv, wanted) => {
  expect(await asked(...(argv as string[]))).toMatchObject(wanted as object);
});

test("a limit of memory allows as much swap again", async () => {
  expect(await asked("-m", "64m")).toMatchObject({ resources: { memory: { limit: 64 << 20, swap: 128 << 20 } } });
});

test("all that cannot be read is told at once", async () => {
  const wrong = asked("--ulimit", "x", "--device-read-bps", "sda:1", "--sysctl", "=", "--memory-swap", "much", "--device", ":/dev/x");
  await expect(wrong).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: "5 things are wrong with this request" });
});
