import { describe, expect, test } from "vitest";
import {
  allCapabilities,
  capabilityMask,
  capabilitySets,
  chooseCapabilities,
  defaultCapabilities,
  defaultSpec,
  deviceRules,
  mergeMounts,
  resolveSeccomp,
  type Seccomp,
} from "../src/index.ts";

const machine = { architecture: "amd64", capabilities: chooseCapabilities() };
const namesOf = (seccomp: Seccomp, action: string) =>
  new Set(seccomp.syscalls?.filter((rule) => rule.action === action).flatMap(({ names }) => names));
const allowed = (seccomp: Seccomp) => namesOf(seccomp, "SCMP_ACT_ALLOW");

describe("capabilities", () => {
  test("the default ones are Docker's, to the bit", () => {
    expect(capabilityMask(defaultCapabilities)).toBe(0xa80425fbn);
    expect(capabilityMask(allCapabilities)).toBe((1n << 41n) - 1n);
  });

  test("root holds them, a user has them in the bounding set alone, nobody inherits", () => {
    const root = capabilitySets(defaultCapabilities, 0);
    expect(root).toMatchObject({ effective: defaultCapabilities, permitted: defaultCapabilities, inheritable: [], ambient: [] });
    const user = capabilitySets(defaultCapabilities, 1000);
    expect(user).toEqual({ bounding: defaultCapabilities, effective: [], permitted: [], inheritable: [], ambient: [] });
  });

  test.each([
    [{ drop: ["ALL"], add: ["chown"] }, ["CAP_CHOWN"]],
    [{ drop: ["all"] }, []],
    [{ drop: ["ALL"], add: ["ALL"] }, allCapabilities],
    [{ drop: ["CHOWN"], add: ["CHOWN"] }, chooseCapabilities()],
    [{ add: ["ALL"] }, allCapabilities],
    [{ add: ["ALL"], drop: ["CAP_SYS_ADMIN"] }, allCapabilities.filter((name) => name !== "CAP_SYS_ADMIN")],
    [
      { add: ["NET_ADMIN"], drop: ["MKNOD"] },
      allCapabilities.filter((name) => name === "CAP_NET_ADMIN" || (defaultCapabilities.includes(name) && name !== "CAP_MKNOD")),
    ],
  ])("%j", (change, expected) => expect(chooseCapabilities(change)).toEqual(expected));

  test("an unknown one is refused", () => {
    expect(() => chooseCapabilities({ add: ["CAP_FLY"] })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: "unknown capability CAP_FLY" }),
    );
  });
});

describe("seccomp", () => {
  test("what escapes are made of is not allowed by default", () => {
    const names = allowed(resolveSeccomp(machine));
    for (const name of (
      "add_key bpf clone3 fsmount io_uring_enter io_uring_register io_uring_setup kexec_load keyctl mount move_mount open_by_handle_at " +
      "open_tree perf_event_open pivot_root reboot request_key setns swapon syslog umount2 unshare userfaultfd"
    ).split(" ")) {
      expect([...names]).not.toContain(name);
    }
    expect([...names]).toEqual(expect.arrayContaining(["chroot", "ptrace", "arch_prctl", "read", "openat2", "rseq"]));
  });

  test("a capability brings its calls", () => {
    const names = allowed(resolveSeccomp({ ...machine, capabilities: ["CAP_SYS_ADMIN", "CAP_SYS_TIME"] }));
    expect([...names]).toEqual(expect.arrayContaining(["mount", "unshare", "clone3", "bpf", "clock_settime"]));
    expect([...names]).not.toContain("chroot");
  });

  test("clone makes no namespace, clone3 is not there", () => {
    const { syscalls = [] } = resolveSeccomp(machine);
    expect(syscalls.filter(({ names }) => names.includes("clone"))).toEqual([
      { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 0x7e020000, op: "SCMP_CMP_MASKED_EQ" }] },
    ]);
    expect(syscalls.filter(({ names }) => names.includes("clone3"))).toEqual([
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
    ]);
  });

  test("no rule allows AF_VSOCK or AF_ALG", () => {
    const rules = resolveSeccomp(machine).syscalls?.filter(({ names }) => names.includes("socket")) ?? [];
    const allows = (family: number) =>
      rules.some(({ args = [] }) =>
        args.every(({ op, value }) => (op === "SCMP_CMP_LT" ? family < value : op === "SCMP_CMP_EQ" && family === value)),
      );
    expect([1, 2, 10, 16, 17].map(allows)).toEqual([true, true, true, true, true]);
    expect([38, 40].map(allows)).toEqual([false, false]);
  });

  test("architectures bring their 32-bit sides and their calls", () => {
    expect(resolveSeccomp(machine).architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    const arm = resolveSeccomp({ ...machine, architecture: "arm64" });
    expect(arm.architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    expect(allowed(arm).has("set_tls")).toBe(true);
    expect(allowed(arm).has("arch_prctl")).toBe(false);
    expect(() => resolveSeccomp({ ...machine, architecture: "z80" })).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  });

  test.each([
    ["4.7.9", false],
    ["4.8.0-rc1", true],
    ["6.1.0-18-amd64", true],
  ])("on kernel %s, ptrace: %s", (kernel, expected) =>
    expect(allowed(resolveSeccomp({ ...machine, kernel })).has("ptrace")).toBe(expected),
  );

  test("a profile of one's own: conditions are gone from the result, empty arguments too", () => {
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["chmod"], action: "SCMP_ACT_ERRNO", args: [], comment: "gone", includes: {}, excludes: {} },
        { names: ["chown"], action: "SCMP_ACT_ERRNO", excludes: { minKernel: "3.0" } },
      ],
    } as const;
    expect(resolveSeccomp({ ...machine, kernel: "6.1" }, profile).syscalls).toEqual([{ names: ["chmod"], action: "SCMP_ACT_ERRNO" }]);
  });
});

describe("the spec", () => {
  const spec = defaultSpec({ args: ["true"] });

  test("has a new namespace of every kind but user and time", () => {
    expect(spec.linux.namespaces.map(({ type }) => type)).toEqual(["mount", "pid", "network", "ipc", "uts", "cgroup"]);
    const chosen = defaultSpec({ args: [], namespaces: { network: { path: "/run/netns/a" }, pid: "host", time: "private" } }).linux
      .namespaces;
    expect(chosen).toEqual([
      { type: "mount" },
      { type: "network", path: "/run/netns/a" },
      { type: "ipc" },
      { type: "uts" },
      { type: "cgroup" },
      { type: "time" },
    ]);
  });

  test("hides and seals what Docker does", () => {
    expect([...(spec.linux.maskedPaths ?? [])].sort()).toEqual(
      ["acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats"]
        .map((name) => `/proc/${name}`)
        .concat("/sys/devices/virtual/powercap", "/sys/firmware"),
    );
    expect(spec.linux.readonlyPaths).toEqual(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]);
  });

  test("mounts /proc, /dev, /sys and the control groups; the last two read-only", () => {
    expect(spec.mounts.map(({ destination }) => destination)).toEqual([
      "/proc",
      "/dev",
      "/dev/pts",
      "/dev/shm",
      "/dev/mqueue",
      "/sys",
      "/sys/fs/cgroup",
    ]);
    for (const path of ["/sys", "/sys/fs/cgroup"])
      expect(spec.mounts.find(({ destination }) => destination === path)?.options).toContain("ro");
    expect(spec.mounts.find(({ destination }) => destination === "/dev/shm")?.options).toContain("size=67108864");
  });

  test("allows the default devices, ptys and mknod, and nothing else", () => {
    const rules = spec.linux.resources?.devices ?? [];
    expect(rules[0]).toEqual({ allow: false, access: "rwm" });
    expect(rules.slice(1).every(({ allow }) => allow)).toBe(true);
    const opens = rules
      .filter(({ allow, access }) => allow && access !== "m")
      .map(({ type, major, minor }) => `${type} ${major}:${minor ?? "*"}`);
    expect(opens).toEqual(["c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 136:*"]);
  });

  test("a device of one's own is made, and allowed as asked for", () => {
    const device = { path: "/dev/fuse", type: "c", major: 10, minor: 229, access: "rw" } as const;
    const { linux } = defaultSpec({ args: [], devices: [device] });
    expect(linux.devices).toEqual([{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }]);
    expect(linux.resources?.devices?.at(-1)).toEqual({ allow: true, type: "c", major: 10, minor: 229, access: "rw" });
    expect(deviceRules([{ path: "/dev/pipe", type: "p" }])).toEqual(deviceRules());
  });

  test("PATH is there, once; no limit and no score unless asked for", () => {
    expect(spec.process.env).toEqual(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
    expect(defaultSpec({ args: [], env: ["A=1", "PATH=/bin"] }).process.env).toEqual(["A=1", "PATH=/bin"]);
    expect(spec.process.rlimits).toBeUndefined();
    expect(spec.process.oomScoreAdj).toBeUndefined();
    expect(spec.process.noNewPrivileges).toBeUndefined();
  });

  test("limits pass through beside the device list", () => {
    const { resources } = defaultSpec({ args: [], resources: { memory: { limit: 1 }, pids: { limit: 2 } } }).linux;
    expect(resources).toMatchObject({ memory: { limit: 1 }, pids: { limit: 2 }, devices: expect.anything() });
  });

  test("low ports and ping are free in a private network namespace only", () => {
    expect(spec.linux.sysctl).toEqual({ "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" });
    expect(defaultSpec({ args: [], namespaces: { network: "host" } }).linux.sysctl).toBeUndefined();
  });

  test("without root: no group 5, no cgroup mount, the host's /sys read-only, devices bound", () => {
    const { mounts, linux } = defaultSpec({ args: [], rootless: true, devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }] });
    const at = (path: string) => mounts.find(({ destination }) => destination === path);
    expect(at("/dev/pts")?.options).not.toContain("gid=5");
    expect(at("/sys/fs/cgroup")).toBeUndefined();
    expect(at("/sys")).toMatchObject({ type: "bind", source: "/sys", options: expect.arrayContaining(["rbind", "ro"]) });
    expect(at("/dev/fuse")).toMatchObject({ type: "bind", source: "/dev/fuse" });
    expect(linux.devices).toBeUndefined();
    expect(linux.resources?.devices).toBeUndefined();
  });

  test("no seccomp on request", () => {
    expect(spec.linux.seccomp?.defaultErrnoRet).toBe(1);
    expect(defaultSpec({ args: [], seccomp: "unconfined" }).linux.seccomp).toBeUndefined();
  });

  test("a mount of one's own replaces a default, and on /dev all below; shallow ones come first", () => {
    const mounts = (...paths: string[]) => paths.map((destination) => ({ destination }));
    const merge = (defaults: string[], own: string[]) =>
      mergeMounts(mounts(...defaults), mounts(...own)).map(({ destination }) => destination);
    expect(merge(["/proc", "/dev", "/dev/shm"], ["/a/b/c", "/dev/shm/", "/a"])).toEqual(["/proc", "/dev", "/a", "/dev/shm/", "/a/b/c"]);
    expect(merge(["/proc", "/dev", "/dev/shm"], ["/dev"])).toEqual(["/proc", "/dev"]);
  });

  test("is JSON", () => {
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  });
});
