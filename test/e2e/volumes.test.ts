import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, busyboxTar, eventually, mountsBelow, noKitchen, smallImage, tar, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const sh = (script: string, ...flags: string[]) => output("run", "--rm", ...flags, "busybox", "sh", "-c", script);
const volumes = async (...flags: string[]) => (await output("volume", "ls", "-q", ...flags)).split("\n").filter((name) => name !== "");
const inspected = async (name: string) => JSON.parse(await output("volume", "inspect", name))[0];
const dataOf = async (name: string) => (await inspected(name)).Mountpoint as string;

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  const folder = join(here().folder, "declaring");
  const above = tar([
    { path: "data", type: "directory", uid: 1000, gid: 1001, mode: 0o750 },
    { path: "data/seed", content: "from the image\n", uid: 1000, gid: 1001, mode: 0o640 },
    { path: "data/link", type: "symlink", target: "seed" },
  ]);
  await smallImage(folder, "declaring", {
    tars: [await busyboxTar(), above],
    config: { Env: ["PATH=/bin"], Cmd: ["cat", "/data/seed"], Volumes: { "/data": {} } },
  });
  await output("load", "-q", "-i", folder);
});

test("[VOL-1] [run --volume] [create --volume] a name makes a volume, which outlives its containers; one that a container has stays", async () => {
  await sh("echo thyme > /shelf/herb", "-v", "pantry:/shelf");
  expect(await sh("cat /shelf/herb; touch /shelf/x", "-v", "pantry:/shelf:ro").catch(String)).toContain("Read-only file system");
  const id = await output(
    "create",
    "--name",
    "guest",
    "-v",
    "pantry:/else:noexec",
    "busybox",
    "sh",
    "-c",
    "cat /else/herb; grep ' /else ' /proc/mounts",
  );
  expect(await output("start", "-a", "guest")).toMatch(/^thyme\n\S+ \/else \S+ rw\S*,noexec/);
  const { code, stderr } = await ramekin("volume", "rm", "pantry");
  expect([code, stderr]).toEqual([1, expect.stringContaining(`remove pantry: volume is in use - [${id}]`)]);
  const [mount] = (await here().inspect<{ Mounts: object[] }>("guest")).Mounts;
  expect(mount).toMatchObject({
    Type: "volume",
    Name: "pantry",
    Destination: "/else",
    Driver: "local",
    RW: true,
    Source: await dataOf("pantry"),
  });
  expect(await output("ps", "-a", "--filter", "volume=pantry", "--format", "{{.Names}} {{.Mounts}} {{.LocalVolumes}}")).toBe(
    "guest pantry 1",
  );
  await output("rm", "guest");
  expect(await output("volume", "rm", "pantry")).toBe("pantry");
  expect((await ramekin("volume", "inspect", "pantry")).stderr).toContain("get pantry: no such volume");
});

test("[VOL-1] an empty volume gets what the image has there, with owners, modes and links; nothing with nocopy", async () => {
  const look = "stat -c '%n %u:%g %a' /data /data/seed; readlink /data/link";
  const run = (...flags: string[]) => output("run", "--rm", ...flags, "declaring", "sh", "-c", look);
  expect(await run("-v", "seeded:/data")).toBe("/data 1000:1001 750\n/data/seed 1000:1001 640\nseed");
  await sh("rm /data/link; echo mine > /data/seed", "-v", "seeded:/data");
  expect(await output("run", "--rm", "-v", "seeded:/data", "declaring", "sh", "-c", "ls /data; cat /data/seed")).toBe("seed\nmine");
  expect(await output("run", "--rm", "-v", "bare:/data:nocopy", "declaring", "ls", "/data")).toBe("");
  expect(await output("run", "--rm", "--mount", "source=bare,target=/data,volume-nocopy", "declaring", "ls", "/data")).toBe("");
  await output("volume", "rm", "seeded", "bare");
});

test("[rm --volumes] [run --rm] volumes without a name: of -v and of the image; they stay with rm and go with rm -v and --rm", async () => {
  const before = await volumes();
  expect(await output("run", "--rm", "-v", "/more", "declaring")).toBe("from the image");
  await eventually(async () => expect(await volumes()).toEqual(before));
  await output("run", "--name", "anonymous", "-v", "/more", "-v", "named:/named", "declaring");
  const made = await volumes("-f", "dangling=false");
  expect(made).toHaveLength(3);
  expect(made.filter((name) => /^[0-9a-f]{64}$/.test(name))).toHaveLength(2);
  const { Mounts } = await here().inspect<{ Mounts: { Destination: string; Name: string }[] }>("anonymous");
  expect(Mounts.map(({ Destination }) => Destination).sort()).toEqual(["/data", "/more", "/named"]);
  await output("rm", "anonymous");
  expect(await volumes("-f", "dangling=true")).toEqual(made);
  await output("run", "--name", "anonymous", "declaring");
  await output("rm", "-v", "anonymous");
  expect(await volumes()).toEqual(made);
  // Only those without a name, as Docker; then all.
  expect(await output("volume", "prune", "-f")).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
  expect(await volumes()).toEqual(["named"]);
  expect(await output("volume", "prune", "-f", "--all")).toContain("named");
  expect(await volumes()).toEqual([]);
});

test("[run --volumes-from] [create --volumes-from] another container's volumes, with its ways or read-only; they outlive it while they are used", async () => {
  const file = join(here().folder, "bound");
  await writeFile(file, "bound\n");
  await output("create", "--name", "first", "-v", "/shared", "-v", "lent:/lent", "-v", `${file}:/bound:ro`, "busybox", "true");
  await sh("echo 1 > /shared/a; echo 2 > /lent/b", "--volumes-from", "first");
  const script = "cat /shared/a /lent/b /bound; touch /shared/x /bound 2>&1 | wc -l";
  expect(await sh(script, "--volumes-from", "first:ro")).toBe("1\n2\nbound\n2");
  expect(await sh("ls /lent; cat /shared/a", "--volumes-from", "first", "--tmpfs", "/lent")).toBe("1");
  await output("create", "--name", "second", "--volumes-from", "first", "busybox", "cat", "/shared/a");
  await output("rm", "-v", "first");
  expect(await output("start", "-a", "second")).toBe("1");
  await output("rm", "-v", "second");
  expect(await volumes()).toEqual(["lent"]);
  // One that removes itself leaves what somebody else has.
  await output("run", "-d", "--rm", "--name", "fleeting", "-v", "/kept", "busybox", "sh", "-c", "echo k > /kept/k; sleep 1000");
  await output("create", "--name", "heir", "--volumes-from", "fleeting", "busybox", "cat", "/kept/k");
  await output("stop", "-t", "0", "fleeting");
  expect(await output("start", "-a", "heir")).toBe("k");
  await output("rm", "-v", "heir");
  expect(await volumes()).toEqual(["lent"]);
  expect((await ramekin("run", "--volumes-from", "nobody", "busybox", "true")).stderr).toContain("no such container: nobody");
  await output("volume", "rm", "lent");
});

test("[VOL-1] [run --mount] [create --mount] a part of a volume: links in it lead nowhere out of it", async () => {
  await sh("mkdir -p /v/part/deep; echo deep > /v/part/deep/file; ln -s /etc /v/out; ln -s part/deep /v/in", "-v", "parted:/v");
  const part = (subpath: string) => ["--mount", `source=parted,target=/p,volume-subpath=${subpath}`];
  expect(await sh("cat /p/deep/file", ...part("part"))).toBe("deep");
  expect(await sh("cat /p", ...part("part/deep/file"))).toBe("deep");
  expect(await sh("cat /p/file", ...part("in"))).toBe("deep");
  await symlink("/etc", join(await dataOf("parted"), "absolute"));
  for (const bad of ["out", "absolute", "missing", "../../../../../etc"]) {
    const { code, stderr } = await ramekin("run", "--rm", ...part(bad), "busybox", "cat", "/p/shadow", "/p/passwd");
    expect([bad, code]).not.toEqual([bad, 0]);
    expect(stderr).not.toContain("root:");
  }
  await output("volume", "rm", "parted");
});

test("[volume create --driver] [volume create --label] [volume create --opt] [run --volume-driver] [create --volume-driver] options, labels and what is wrong with them", async () => {
  const made = [
    "volume",
    "create",
    "--driver",
    "local",
    "--label",
    "course=main",
    "-o",
    "type=tmpfs",
    "-o",
    "device=tmpfs",
    "--opt",
    "o=size=1m,mode=700",
  ];
  expect(await output(...made, "quick")).toBe("quick");
  expect(await output(...made, "quick")).toBe("quick");
  expect(await inspected("quick")).toMatchObject({
    Driver: "local",
    Labels: { course: "main" },
    Options: { type: "tmpfs", device: "tmpfs", o: "size=1m,mode=700" },
    Scope: "local",
  });
  // Mounted when it is first used, for all containers at once, and no longer than there are any.
  expect(await mountsBelow(here().folder)).toEqual([]);
  await output(
    "run",
    "--name",
    "user",
    "-v",
    "quick:/q",
    "--volume-driver",
    "local",
    "busybox",
    "sh",
    "-c",
    "df /q | tail -1; stat -c %a /q; echo 1 > /q/1",
  );
  expect(await output("logs", "user")).toMatch(/^tmpfs +1024 .*\n700$/);
  expect(await mountsBelow(here().folder)).toHaveLength(1);
  expect(await sh("cat /q/1", "-v", "quick:/q")).toBe("1");
  await output("rm", "user");
  expect(await mountsBelow(here().folder)).toEqual([]);
  const bound = join(here().folder, "device");
  await mkdir(bound);
  await sh(
    "touch /b/made",
    "--mount",
    `source=linked,target=/b,volume-opt=type=none,volume-opt=device=${bound},volume-opt=o=bind,volume-label=a=b`,
  );
  expect(await readdir(bound)).toEqual(["made"]);
  expect((await inspected("linked")).Labels).toEqual({ a: "b" });
  expect(await output("volume", "rm", "linked", "quick")).toBe("linked\nquick");
  expect(await readdir(bound)).toEqual(["made"]);
  for (const [args, message] of [
    [["--driver", "cloud", "x1"], 'plugin "cloud" not found'],
    [["-o", "colour=red", "x1"], 'invalid option: "colour"'],
    [["-o", "device=/x", "x1"], 'missing required option: "type"'],
    [["x"], "volume name is too short"],
    [["a/b"], "invalid characters for a local volume name"],
    [["--sharing", "all", "x1"], "swarm"],
  ] as const)
    expect((await ramekin("volume", "create", ...args)).stderr).toContain(message);
  expect((await ramekin("run", "--volume-driver", "cloud", "-v", "x1:/x", "busybox", "true")).code).toBe(125);
  await output("create", "--name", "never", "--volume-driver", "local", "-v", "x2:/x", "busybox", "true");
  await output("rm", "never");
  expect(await volumes()).toEqual(["x2"]);
  await output("volume", "rm", "x2");
});

test("[volume create --name] [volume ls --filter] [volume ls --format] [volume ls --quiet] [volume inspect --format] [volume rm --force] [volume prune --all] [volume prune --filter] [volume prune --force]", async () => {
  await output("volume", "create", "--label", "keep", "--name", "larder");
  await output("volume", "create", "--label", "a=b", "cellar");
  const anonymous = await output("volume", "create");
  expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
  expect((await output("volume", "ls")).split("\n")[0]).toBe("DRIVER    VOLUME NAME");
  expect(await output("volume", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}} {{.Links}}", "-f", "name=lar")).toBe(
    "cellar local local a=b 0\nlarder local local keep= 0",
  );
  expect(await volumes("--filter", "label=a=b")).toEqual(["cellar"]);
  expect(await volumes("--filter", "driver=cloud")).toEqual([]);
  expect(await output("volume", "inspect", "--format", "{{.Name}} {{.Scope}}", "larder", "cellar")).toBe("larder local\ncellar local");
  expect(await here().ramekin(["volume", "prune"], { input: "n\n" })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("This will remove anonymous local volumes not used by at least one container."),
  });
  expect(await output("volume", "prune", "--force")).toContain(anonymous);
  expect(await output("volume", "prune", "-f", "--all", "--filter", "label!=keep")).toContain("cellar");
  expect(await volumes()).toEqual(["larder"]);
  expect(await output("volume", "prune", "-f", "--filter", "all=1")).toContain("larder");
  expect(await output("volume", "rm", "--force", "larder")).toBe("larder");
  expect(await ramekin("volume", "rm", "larder")).toMatchObject({ code: 1, stderr: expect.stringContaining("get larder: no such volume") });
});

test("[VOL-1] [volume export --output] a volume's files go out as a tar and come back; df and system prune --volumes count them", async () => {
  const file = join(here().folder, "backup.tar");
  await sh("head -c 500000 /dev/zero > /v/zeros; echo .wh. > /v/.wh.name; chown 7:8 /v/zeros", "-v", "packed:/v");
  await output("volume", "export", "-o", file, "packed");
  await output("volume", "create", "restored");
  await output("volume", "import", "restored", file);
  expect(await sh("stat -c '%u:%g %s' /v/zeros; cat /v/.wh.name", "-v", "restored:/v")).toBe("7:8 500000\n.wh.");
  await here().ramekin(["volume", "import", "restored", "-"], { input: tar([{ path: "more", content: "more\n" }]) });
  expect(await readFile(join(await dataOf("restored"), "more"), "utf8")).toBe("more\n");
  expect(await output("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}")).toMatch(
    /^Local Volumes 2 0 1(\.\d+)?MB$/m,
  );
  await output("volume", "rm", "packed", "restored");
  const nameless = await output("volume", "create");
  expect(await output("system", "prune", "-f", "--volumes")).toContain(`Deleted Volumes:\n${nameless}`);
});

test("a volume is nobody's but root's on the host, and leaves nothing behind", async () => {
  await sh("true", "-v", "closed:/c");
  const data = await dataOf("closed");
  expect((await stat(join(data, "../.."))).mode & 0o777).toBe(0o700);
  await output("volume", "rm", "closed");
  expect(await readdir(join(data, "../.."))).toEqual([".lock"]);
});

test("[VOL-1] [CTR-8] in a user namespace a new volume is the container's, and cp gives files to its ids", async () => {
  await output("run", "-d", "--name", "mapped", "--userns", "auto:size=65536", "-v", "theirs:/home", "busybox", "sleep", "1000");
  expect(await output("exec", "mapped", "sh", "-c", "touch /home/new; stat -c '%u:%g' /home/new /home/cook")).toBe("0:0\n1000:1001");
  const file = join(here().folder, "mine");
  await writeFile(file, "mine\n");
  await output("cp", file, "mapped:/tmp/mine");
  expect(await output("exec", "mapped", "stat", "-c", "%u:%g", "/tmp/mine")).toBe("0:0");
  await output("rm", "-f", "mapped");
  await output("volume", "rm", "theirs");
});
