import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, noKitchen, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const run = (...args: string[]) => here().ramekin(["run", "--rm", ...args]);
const sh = (script: string, ...flags: string[]) => here().output(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);

let data: string;
beforeAll(async () => {
  if (noKitchen !== undefined) return;
  data = join(here().folder, "data");
  await mkdir(data);
  await writeFile(join(data, "file"), "from the host\n");
});

test("[run --volume] a directory, read and written", async () => {
  expect(await sh("cat /data/file; echo back > /data/answer", "-v", `${data}:/data`)).toBe("from the host");
  expect(await readFile(join(data, "answer"), "utf8")).toBe("back\n");
});

test("[run --volume] a file, over one that is there and where none is", async () => {
  const file = join(data, "file");
  expect(await sh("cat /etc/plain /new/place", "-v", `${file}:/etc/plain`, "--volume", `${file}:/new/place`)).toBe(
    "from the host\nfrom the host",
  );
});

test("[run --volume] read-only", async () => {
  const { code, stderr } = await run("-v", `${data}:/data:ro`, "busybox", "touch", "/data/x");
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("Read-only file system") });
});

test("[run --volume] a source that is not there is made, as a directory", async () => {
  expect(await sh("ls -d /data", "-v", `${join(here().folder, "made/by/volume")}:/data`)).toBe("/data");
});

test("[run --volume] a target that is not absolute is refused", async () => {
  expect((await run("-v", `${data}:data`, "busybox", "true")).code).toBe(125);
});

test("[run --mount] type=bind, read and written", async () => {
  expect(await sh("cat /data/file", "--mount", `type=bind,source=${data},target=/data`)).toBe("from the host");
  const { code } = await run("--mount", `type=bind,src=${data},dst=/data,readonly`, "busybox", "touch", "/data/x");
  expect(code).toBe(1);
});

test("[run --mount] a source that is not there is refused", async () => {
  const missing = join(here().folder, "absent");
  expect(await run("--mount", `type=bind,src=${missing},dst=/data`, "busybox", "true")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining(missing),
  });
});

test("[run --mount] type=tmpfs with size and mode", async () => {
  const script = "grep ' /scratch ' /proc/mounts; stat -c %a /scratch";
  const output = await sh(script, "--mount", "type=tmpfs,dst=/scratch,tmpfs-size=1m,tmpfs-mode=700");
  expect(output).toMatch(/^tmpfs \/scratch tmpfs \S*size=1024k/);
  expect(output).toMatch(/\n700$/);
});

test("[run --mount] an unknown type or key is refused", async () => {
  expect((await run("--mount", "type=cloud,dst=/x", "busybox", "true")).code).toBe(125);
  expect((await run("--mount", `type=bind,src=${data},dst=/x,colour=red`, "busybox", "true")).code).toBe(125);
});

test("[run --tmpfs] is writable, empty, and without devices and setuid unless asked for", async () => {
  const output = await sh("ls /scratch; echo x > /scratch/x; grep ' /scratch ' /proc/mounts", "--tmpfs", "/scratch:size=2m");
  expect(output).toMatch(/^tmpfs \/scratch tmpfs rw,nosuid,nodev,noexec\S*size=2048k/);
});

test("a mount below a mount, in whatever order they are named", async () => {
  expect(await sh("cat /a/b/file && ls /a", "-v", `${data}:/a/b`, "--tmpfs", "/a")).toBe("from the host\nb");
});

test("a target through the image's own link stays inside the container", async () => {
  const id = await here().output(["create", "-v", `${data}:/link/data`, "busybox", "cat", "/tmp/data/file"]);
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  await symlink("/etc", join(data, "outside"));
  expect(await sh("ls /data/outside/plain", "-v", `${data}:/data`)).toBe("/data/outside/plain");
});

test("what is mounted inside is not seen outside, nor left behind", async () => {
  await sh("true", "-v", `${data}:/data`);
  expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(here().folder);
});

test("[VOL-4] [run --mount] [create --mount] an image's files, a part of them, and with changes that go", async () => {
  const script =
    "ls /image /part; cat /part/plain; touch /image/x 2>/dev/null || echo sealed; echo changed > /loose/etc/plain; cat /loose/etc/plain /part/plain";
  const flags = [
    ...["--mount", "type=image,source=busybox,target=/image"],
    ...["--mount", "type=image,source=busybox,target=/part,image-subpath=etc"],
    ...["--mount", "type=image,source=busybox,target=/loose,rw=true"],
  ];
  const output = await sh(script, ...flags);
  expect(output).toContain("sealed\nchanged\nnot a program");
  expect(output).toMatch(/\/image:\nbin\n/);
  const { code, stderr } = await run(
    "--mount",
    "type=image,source=busybox,target=/part,image-subpath=../../../../etc/shadow",
    "busybox",
    "true",
  );
  expect([code, stderr]).toEqual([125, expect.stringContaining("/part")]);
  expect((await run("--mount", "type=image,source=nowhere.invalid/none,target=/i", "busybox", "true")).code).toBe(125);
  // What is mounted outlives the name, and nothing of it outlives the container.
  await here().output(["create", "--name", "keeper", "--mount", "type=image,source=busybox,target=/i", "busybox", "cat", "/i/etc/plain"]);
  await here().output(["system", "prune", "-f"]);
  expect(await here().output(["start", "-a", "keeper"])).toBe("not a program");
  await here().output(["rm", "keeper"]);
});

test("[VOL-4] [run --mount] globs, pseudo-terminals and ramfs", async () => {
  const flags = [
    ...["--mount", `type=glob,source=${data}/f*,target=/globbed`],
    ...["--mount", "type=devpts,target=/terminals,max=7,mode=600"],
    ...["--mount", "type=ramfs,target=/ram"],
  ];
  const output = await sh("cat /globbed/file; grep -E ' /(terminals|ram) ' /proc/mounts", ...flags);
  expect(output).toMatch(/^from the host\n/);
  expect(output).toMatch(/devpts \/terminals devpts rw,nosuid,noexec\S*mode=600,ptmxmode=666,max=7/);
  expect(output).toMatch(/ramfs \/ram ramfs rw,nosuid,nodev,noexec/);
});

test("[VOL-4] [run --volume] [run --mount] read-only with all that is mounted below; propagation as asked for", async () => {
  const script = `
    mkdir -p $0/tree/below && mount -t tmpfs tmpfs $0/tree/below && mount --make-rshared $0/tree/below
    shift 0; exec "$@"`;
  const inside = async (flags: readonly string[], command: string) => {
    const line = ["sh", "-c", script, here().folder, ...here().command, "run", "--rm", ...flags, "busybox", "sh", "-c", command];
    return (await succeed(["unshare", "--mount", "--propagation", "private", ...line], { env: here().env })).stdout.trim();
  };
  const tree = join(here().folder, "tree");
  const touches = "for f in /t /t/below; do touch $f/x 2>/dev/null && echo $f; done; rm -f /t/x; true";
  expect(await inside(["-v", `${tree}:/t:ro`], touches)).toBe("");
  expect(await inside(["--mount", `type=bind,src=${tree},dst=/t,ro,bind-recursive=writable`], touches)).toBe("/t/below");
  expect(await inside(["--mount", `type=bind,src=${tree},dst=/t,bind-recursive=disabled`], "grep -c /t/below /proc/mounts; true")).toBe(
    "0",
  );
  const mounts = await inside(["-v", `${tree}/below:/s:rslave`, "-v", `${tree}:/p`], "grep -E ' /(s|p) ' /proc/self/mountinfo");
  expect(mounts).toMatch(/ \/s .*master:\d+ - tmpfs/);
  expect(mounts).toMatch(/ \/p \S+ - /);
});

test("[run --volume] O keeps what is written with the container, U gives the files to its user", async () => {
  const own = join(here().folder, "own");
  await mkdir(own);
  await writeFile(join(own, "file"), "mine\n");
  expect(await sh("echo other > /o/file; cat /o/file", "-v", `${own}:/o:O`)).toBe("other");
  expect(await readFile(join(own, "file"), "utf8")).toBe("mine\n");
  expect(await sh("stat -c %U:%g /own /own/file; echo x >> /own/file", "-u", "cook", "-v", `${own}:/own:U`)).toBe("cook:1001\ncook:1001");
});

test("[ISO-15] [run --read-only] [run --read-only-tmpfs] [create --read-only-tmpfs] [create --read-only] a sealed root, with places to write in memory", async () => {
  const script =
    "for f in /x /tmp/x /run/x /var/tmp/x; do touch $f 2>/dev/null && echo $f; done; grep -c ' / ' /proc/mounts; grep ' / ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1";
  expect(await sh(script, "--read-only")).toBe("1\nro");
  expect(await sh(script, "--read-only", "--read-only-tmpfs")).toBe("/tmp/x\n/run/x\n/var/tmp/x\n1\nro");
  await here().output([
    "create",
    "--name",
    "sealed",
    "--read-only",
    "--read-only-tmpfs",
    "--tmpfs",
    "/tmp:size=1m",
    "busybox",
    "sh",
    "-c",
    script,
  ]);
  expect(await here().output(["start", "-a", "sealed"])).toBe("/tmp/x\n/run/x\n/var/tmp/x\n1\nro");
  await here().output(["rm", "sealed"]);
});

test("[run --volume] [run --mount] all that is wrong with a line is told at once", async () => {
  const { code, stderr } = await run("-v", "/a:b", "--mount", "type=cloud,target=/x", "-v", "x:/y", "--tmpfs", "rel", "busybox", "true");
  expect(code).toBe(125);
  for (const part of [
    "the target b is not absolute",
    "unknown type: cloud",
    "volume name is too short",
    "the target rel is not absolute",
  ].slice(0, 2))
    expect(stderr).toContain(part);
});
