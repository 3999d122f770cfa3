import { existsSync, readlinkSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, eventually, type Inspected, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

const kinds = ["pid", "ipc", "uts", "cgroup", "net"] as const;
type Kind = (typeof kinds)[number];

/** As the kernel numbers it. */
const own = (kind: Kind) => readlinkSync(`/proc/self/ns/${kind}`);
async function namespace(name: string, kind: Kind): Promise<string> {
  return readlinkSync(`/proc/${(await here().inspect(name)).State.Pid}/ns/${kind}`);
}
const start = (name: string, ...flags: string[]) => here().output(["run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000"]);

describe("[ISO-1] namespaces of the host's", () => {
  beforeAll(async () => {
    await start("guest", "--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host");
    await start("alone");
    return () => here().output(["rm", "-f", "guest", "alone"]);
  });

  test.each([
    ["[run --pid] [create --pid]", "pid"],
    ["[run --ipc] [create --ipc]", "ipc"],
    ["[run --uts] [create --uts]", "uts"],
    ["[run --cgroupns] [create --cgroupns]", "cgroup"],
  ] as const)("%s host or the container's own", async (_, kind) => {
    expect(await namespace("guest", kind)).toBe(own(kind));
    expect(await namespace("alone", kind)).not.toBe(own(kind));
  });

  test("[run --pid] the host's processes are seen, and its name", async () => {
    const script = `hostname; grep -c . /proc/${process.pid}/cmdline; df /dev/shm | tail -1`;
    const [name, seen] = (await here().output(["exec", "guest", "sh", "-c", script])).split("\n");
    expect([name, seen]).toEqual([hostname(), "1"]);
    const { HostConfig } = await here().inspect<{ HostConfig: object }>("guest");
    expect(HostConfig).toMatchObject({ PidMode: "host", IpcMode: "host", UTSMode: "host", CgroupnsMode: "host" });
  });
});

describe("[ISO-1] namespaces of another container", () => {
  beforeAll(async () => {
    await start("donor", "--ipc", "shareable", "--hostname", "kitchen");
    const kinds = ["pid", "ipc", "uts", "network"].flatMap((kind) => [`--${kind}`, "container:donor"]);
    await start("heir", ...kinds);
    return () => here().output(["rm", "-f", "heir", "donor"]);
  });

  test.each([
    ["[run --pid]", "pid"],
    ["[run --ipc]", "ipc"],
    ["[run --uts]", "uts"],
    ["[run --network] [create --network]", "net"],
  ] as const)("%s container:NAME", async (_, kind) => {
    expect(await namespace("heir", kind)).toBe(await namespace("donor", kind));
    expect(await namespace("heir", kind)).not.toBe(own(kind));
  });

  test("[run --network] its files of names are the other's", async () => {
    const script = "hostname; cat /etc/hostname; grep -c kitchen /etc/hosts; ps | grep -c [s]leep.1000";
    expect(await here().output(["exec", "heir", "sh", "-c", script])).toBe("kitchen\nkitchen\n1\n2");
  });

  test("[run --ipc] what one writes to shared memory the other reads", async () => {
    await here().output(["exec", "donor", "sh", "-c", "echo ours > /dev/shm/note"]);
    expect(await here().output(["exec", "heir", "cat", "/dev/shm/note"])).toBe("ours");
  });

  test("[run --pid] it is looked up at each start, and has to run", async () => {
    await here().output(["stop", "-t", "0", "heir", "donor"]);
    const refused = await here().ramekin(["start", "heir"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("of container donor, which does not run")]);
    await here().output(["start", "donor"]);
    await here().output(["start", "heir"]);
    expect(await namespace("heir", "pid")).toBe(await namespace("donor", "pid"));
  });
});

describe("[ISO-1] a container that shares, and runs again", () => {
  const restarts = async (name: string) => (await here().inspect<{ RestartCount: number } & Inspected>(name)).RestartCount;
  const status = async (name: string) => (await here().inspect(name)).State;

  test("[run --restart] by its policy it finds its partner's new namespaces, and waits for a partner that does not run", async () => {
    await start("host", "--ipc", "shareable");
    await start("guest", "--restart", "always", "--pid", "container:host", "--ipc", "container:host", "--network", "container:host");
    await here().output(["exec", "host", "sh", "-c", "echo old > /dev/shm/note"]);
    // The kernel ends the guest with the pid namespace that it is in.
    await here().output(["stop", "-t", "0", "host"]);
    await eventually(async () => {
      expect((await status("guest")).Status).toBe("restarting");
      expect((await status("guest")).Error).toContain("of container host, which does not run");
      expect(await restarts("guest")).toBeGreaterThan(2);
    });
    await here().output(["start", "host"]);
    await here().output(["exec", "host", "sh", "-c", "echo new > /dev/shm/note"]);
    await eventually(async () => expect((await status("guest")).Status).toBe("running"));
    for (const kind of ["pid", "ipc", "net"] as const) expect(await namespace("guest", kind)).toBe(await namespace("host", kind));
    expect(await here().output(["exec", "guest", "cat", "/dev/shm/note"])).toBe("new");
    // Gone for good: there is nothing to wait for.
    await here().output(["rm", "-f", "host"]);
    await eventually(async () => expect((await status("guest")).Status).toBe("exited"));
    expect(await status("guest")).toMatchObject({ ExitCode: 128, Error: expect.stringMatching(/of container host, which is gone/) });
    const again = await here().ramekin(["start", "guest"]);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot join the \w+ namespace of container \w{12}, which is gone/),
    ]);
    await here().output(["rm", "guest"]);
  });

  test.each([
    ["restart", []],
    ["restart, with --rm", ["--rm"]],
  ])("%s: it looks again, and is not stopped for nothing", async (_, flags) => {
    await start("host");
    await start("guest", ...flags, "--network", "container:host");
    await here().output(["restart", "-t", "0", "host"]);
    expect(await namespace("guest", "net")).not.toBe(await namespace("host", "net"));
    await here().output(["restart", "-t", "0", "guest"]);
    expect(await namespace("guest", "net")).toBe(await namespace("host", "net"));
    await here().output(["stop", "-t", "0", "host"]);
    const { Pid } = await status("guest");
    const refused = await here().ramekin(["restart", "-t", "0", "guest"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("of container host, which does not run")]);
    expect(await status("guest")).toMatchObject({ Status: "running", Pid });
    await here().output(["rm", "-f", "guest", "host"]);
  });
});

describe("[ISO-1] namespaces of a file", () => {
  test("[run --pid] [run --ipc] [run --uts] [run --cgroupns] [run --network] ns:PATH, whoever is in them", async () => {
    await start("owner", "--hostname", "larder");
    const { Pid } = (await here().inspect("owner")).State;
    const file = (kind: Kind) => `ns:/proc/${Pid}/ns/${kind}`;
    const flags = [
      "--pid",
      file("pid"),
      "--ipc",
      file("ipc"),
      "--uts",
      file("uts"),
      "--cgroupns",
      file("cgroup"),
      "--network",
      file("net"),
    ];
    await start("tenant", ...flags);
    for (const kind of kinds) expect(await namespace("tenant", kind)).toBe(await namespace("owner", kind));
    expect(await here().output(["exec", "tenant", "hostname"])).toBe("larder");
    const { HostConfig } = await here().inspect<{ HostConfig: object }>("tenant");
    expect(HostConfig).toMatchObject({ NetworkMode: file("net"), PidMode: file("pid") });
    await here().output(["rm", "-f", "tenant", "owner"]);
  });

  test("[create --network] a network namespace that is bound to a file, as `ip netns` does it", async () => {
    const bound = join(here().folder, "bound");
    await writeFile(bound, "");
    await succeed(["unshare", "--net", "sh", "-c", `mount --bind /proc/$$/ns/net ${bound}`]);
    try {
      await here().output(["create", "--name", "bound", "--network", `ns:${bound}`, "busybox", "sleep", "1000"]);
      await here().output(["start", "bound"]);
      const inode = /\d+/.exec(await namespace("bound", "net"))?.[0];
      expect(String((await stat(bound)).ino)).toBe(inode);
      await here().output(["rm", "-f", "bound"]);
    } finally {
      await succeed(["umount", bound]);
    }
  });

  test("what is no namespace, or not of that kind, is refused and leaves nothing", async () => {
    const before = await here().traces();
    const wrong = ["--pid", "ns:/etc/passwd", "--ipc", "ns:here", "--uts", "ns:/no/such", "--network", "ns:"];
    const { code, stderr } = await here().ramekin(["run", "--rm", ...wrong, "busybox", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain("no pid namespace: /etc/passwd");
    expect(stderr).toContain("no ipc namespace: here");
    expect(stderr).toContain("cannot use the uts namespace /no/such");
    expect(stderr).toContain("no network namespace: ns:");
    expect((await here().ramekin(["run", "--rm", "--pid", "ns:/proc/self/ns/net", "busybox", "true"])).code).toBe(125);
    expect((await here().ramekin(["run", "--rm", "--uts", "ns:/proc/self/ns/uts", "-h", "me", "busybox", "true"])).stderr).toContain(
      "conflicting options: --hostname and --uts ns:",
    );
    expect(await here().traces()).toEqual(before);
  });
});

test("[run --ipc] none: no shared memory to see; private ones are not shared", async () => {
  const { stdout } = await here().ramekin(["run", "--rm", "--ipc", "none", "busybox", "sh", "-c", "mount | grep -c /dev/shm"]);
  expect(stdout).toBe("0\n");
  await here().output(["create", "--name", "closed", "busybox"]);
  const { code, stderr } = await here().ramekin(["run", "--rm", "--ipc", "container:closed", "busybox", "true"]);
  expect([code, stderr]).toEqual([125, expect.stringContaining("the IPC namespace of container closed is its own")]);
});

test("what cannot be joined is refused, all at once, and leaves nothing", async () => {
  const before = await here().traces();
  const wrong = ["--pid", "container:nobody", "--network", "container:nobody", "--uts", "container:nobody"];
  const missing = await here().ramekin(["run", "--rm", ...wrong, "busybox", "true"]);
  expect(missing.code).toBe(125);
  expect(missing.stderr.match(/no such container: nobody/g)).toHaveLength(3);
  const odd = await here().ramekin(["run", "--rm", "--pid", "odd", "--cgroupns", "x", "--uts", "host", "-h", "me", "busybox", "true"]);
  expect(odd.code).toBe(125);
  expect(odd.stderr).toContain("no such pid namespace: odd");
  expect(odd.stderr).toContain("no such cgroupns namespace: x");
  expect(odd.stderr).toContain("conflicting options: --hostname and --uts host");
  expect(await here().traces()).toEqual(before);
  expect(existsSync("/proc/0")).toBe(false);
});
