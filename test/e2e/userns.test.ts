import { readlinkSync } from "node:fs";
import { chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

const sh = (flags: readonly string[], script: string) => here().output(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);
const words = (text: string) => text.trim().split(/\s+/).join(" ");

/** As the kernel has it for the container's first process. */
async function mapOf(name: string, kind: "uid" | "gid"): Promise<string> {
  return words(await readFile(`/proc/${(await here().inspect(name)).State.Pid}/${kind}_map`, "utf8"));
}

describe("[ISO-2] a user namespace with maps", () => {
  beforeAll(async () => {
    // biome-ignore format: one flag and its value after the other
    await here().output(["run", "-d", "--name", "mapped", "--uidmap", "0:200000:3000", "--uidmap", "65534:300000:1", "--gidmap",
      "0:400000:3000", "-h", "far", "busybox", "sleep", "1000"]);
    return () => here().output(["rm", "-f", "mapped"]);
  });

  test("[run --uidmap] [run --gidmap] [create --uidmap] [create --gidmap] the kernel has them", async () => {
    expect(await mapOf("mapped", "uid")).toBe("0 200000 3000 65534 300000 1");
    expect(await mapOf("mapped", "gid")).toBe("0 400000 3000");
    const { State } = await here().inspect("mapped");
    const status = await readFile(`/proc/${State.Pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t200000\t200000/m);
    expect(status).toMatch(/^Gid:\t400000\t400000/m);
  });

  test("its files are its own: the image's, those that it makes, those of /etc and of other users", async () => {
    const script =
      "stat -c %u:%g /bin/busybox /etc/hosts /home/cook; touch /new && stat -c %u:%g /new; rm /etc/plain && echo removed; id -u";
    expect((await here().output(["exec", "mapped", "sh", "-c", script])).split("\n")).toEqual(
      ["0:0", "0:0", "1000:1001", "0:0", "removed", "0"], //
    );
    expect(await here().output(["exec", "-u", "cook", "mapped", "sh", "-c", "id -u; touch ~/mine && stat -c %u:%g ~/mine"])).toBe(
      "1000\n1000:1001",
    );
  });

  test("on disk they have the image's ids: what is committed is as from any container", async () => {
    await here().output(["exec", "mapped", "sh", "-c", "mkdir -p /srv/a && chown cook:bakers /srv/a"]);
    await here().output(["commit", "mapped", "unmapped"]);
    expect(await here().output(["run", "--rm", "unmapped", "stat", "-c", "%u:%g", "/srv", "/srv/a", "/new"])).toBe("0:0\n1000:1002\n0:0");
    expect(await here().output(["diff", "mapped"])).toContain("D /etc/plain");
    await here().output(["rmi", "unmapped"]);
  });

  test("a new start has the same ids", async () => {
    await here().output(["restart", "-t", "0", "mapped"]);
    expect(await mapOf("mapped", "uid")).toBe("0 200000 3000 65534 300000 1");
    expect(await here().output(["exec", "mapped", "stat", "-c", "%u:%g", "/new"])).toBe("0:0");
    const { HostConfig } = await here().inspect<{ HostConfig: object }>("mapped");
    expect(HostConfig).toMatchObject({ UsernsMode: "private", IDMappings: { GidMap: ["0:400000:3000"] } });
  });
});

test("[run --userns] [create --userns] auto: ids that no other container has, and that come back", async () => {
  for (const name of ["one", "two"]) await here().output(["run", "-d", "--name", name, "--userns", "auto", "busybox", "sleep", "1000"]);
  const [one, two] = [await mapOf("one", "uid"), await mapOf("two", "uid")];
  expect(one).toMatch(/^0 \d+ 65536$/);
  expect(one).not.toBe(two);
  await here().output(["rm", "-f", "one"]);
  await here().output(["run", "-d", "--name", "three", "--userns", "auto:size=2000", "busybox", "sleep", "1000"]);
  expect(await mapOf("three", "gid")).toBe(one.replace("65536", "2000"));
  await here().output(["rm", "-f", "two", "three"]);
  expect(words(await sh(["--userns", "host"], "cat /proc/self/uid_map"))).toBe("0 0 4294967295");
});

test("[run --userns] keep-id: all ids are the host's, and yet root's power ends at the container", async () => {
  const script = "cat /proc/self/uid_map; stat -c %u:%g /bin/busybox /home/cook; mount -t tmpfs t /mnt 2>&1 || true; echo end; sleep 1000";
  await here().output(["run", "-d", "--name", "kept", "--userns", "keep-id", "busybox", "sh", "-c", script]);
  await eventually(async () => expect(await here().output(["logs", "kept"])).toContain("end"));
  expect(words(await here().output(["logs", "kept"]))).toMatch(/^0 0 4294967295 0:0 1000:1001 mount: .*(?:denied|permitted).* end$/);
  const { Pid } = (await here().inspect("kept")).State;
  expect(readlinkSync(`/proc/${Pid}/ns/user`)).not.toBe(readlinkSync("/proc/self/ns/user"));
  await here().output(["rm", "-f", "kept"]);
});

test("[run --volume] [create --volume] idmap: who is who on the disk is who is who in the container, both ways", async () => {
  const shared = join(here().folder, "shared");
  await mkdir(shared);
  await writeFile(join(shared, "note"), "for all\n");
  await chown(join(shared, "note"), 1000, 1001);
  const script = "stat -c %u:%g /at /at/note /file; touch /at/made; chown 1000 /at/made; stat -c %u /plain/note; stat -c %u:%g /vol/cook";
  // biome-ignore format: a flag and its value after the other
  const flags = ["--userns", "auto", "-v", `${shared}:/at:idmap`, "-v", `${shared}/note:/file:idmap,ro`, "-v", `${shared}:/plain`, "-v", "store:/vol:idmap"];
  await here().output(["run", "--rm", "-v", "store:/home", "busybox", "true"]);
  expect(await sh(flags, script)).toBe("0:0\n1000:1001\n1000:1001\n65534\n1000:1001");
  expect((await stat(join(shared, "made"))).uid).toBe(1000);
  // A new volume has the image's owners on the disk, and one that is given to the user is his there.
  await here().output(["run", "--rm", "--userns", "auto", "-u", "cook", "-v", "fresh:/home:idmap,U", "busybox", "touch", "/home/mine"]);
  expect(await here().output(["run", "--rm", "-v", "fresh:/v", "busybox", "stat", "-c", "%u", "/v", "/v/mine"])).toBe("1000\n1000");
  await here().output([
    "run",
    "--rm",
    "--userns",
    "auto",
    "--mount",
    `type=bind,source=${shared},target=/m,idmap`,
    "busybox",
    "touch",
    "/m/two",
  ]);
  expect((await stat(join(shared, "two"))).uid).toBe(0);
  await here().output(["volume", "rm", "store", "fresh"]);
});

test("root in there is nobody out here", async () => {
  const secret = join(here().folder, "secret");
  await writeFile(secret, "for root\n", { mode: 0o600 });
  const { stdout, stderr } = await here().ramekin(["run", "--rm", "--userns", "private", "-v", `${secret}:/s`, "busybox", "cat", "/s"]);
  expect([stdout, stderr]).toEqual(["", expect.stringContaining("Permission denied")]);
  expect((await stat(secret)).uid).toBe(0);
  const script = "mkdir /work/x; mknod /d b 1 1; mount -t tmpfs t /tmp; cat /proc/self/status";
  const { stdout: said, stderr: refused } = await here().ramekin([
    "run",
    "--rm",
    "--userns",
    "auto",
    "-w",
    "/work",
    "busybox",
    "sh",
    "-c",
    script,
  ]);
  expect(refused).toMatch(/mknod.*not permitted/);
  expect(refused).not.toContain("/work/x");
  expect(said).toMatch(/^CapEff:\t00000000a80425fb/m);
});

test("[run --subuidname] [run --subgidname] [create --subuidname] [create --subgidname] ranges by name, or that there are none", async () => {
  const lines = (await readFile("/etc/subuid", "utf8").catch(() => "")).trim().split("\n");
  const [name, start, size] = lines[0]?.split(":") ?? [];
  const { code, stderr } = await here().ramekin(["run", "--rm", "--subuidname", "no-such-user", "busybox", "true"]);
  expect([code, stderr]).toEqual([125, expect.stringContaining("no ids for no-such-user in /etc/subuid")]);
  if (!name || !size) return;
  expect(words(await sh(["--subuidname", name, "--subgidname", name], "cat /proc/self/uid_map"))).toContain(`0 ${start} ${size}`);
});

// biome-ignore format: one a line is too many
test.each([
  [["--userns", "keep-id:uid=5"], "no such user namespace: keep-id:uid=5"], [["--userns", "nomap"], "leaves the caller's own id out"],
  [["-v", "/srv:/x:idmap"], "mount /x: idmap is about a user namespace"],
  [["--userns", "auto", "-v", "/srv:/x:idmap=uids=0-1-1"], "only the container's own map"],
  [["--userns", "odd"], "no such user namespace: odd"], [["--uidmap", "1:100000:10"], "have no 0"],
  [["--uidmap", "0:100000:10", "--uidmap", "5:200000:10"], "overlap"], [["--uidmap", "x"], "no map of ids: x"],
  [["--userns", "private", "--pid", "host", "--privileged"], "2 things are wrong"],
  [["--userns", "host", "--uidmap", "0:1:1"], "conflicting options: maps of ids and --userns host"],
])("[run --userns] [run --uidmap] %j is refused", async (flags, reason) => {
  const { code, stderr } = await here().ramekin(["run", "--rm", ...flags, "busybox", "true"]);
  expect([code, stderr]).toEqual([125, expect.stringContaining(reason)]);
});
