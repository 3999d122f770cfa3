import { existsSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

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
