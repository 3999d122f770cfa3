import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, noKitchen, useKitchen } from "../support/index.ts";

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

test("[run --volume] the name of a volume is refused, with a hint", async () => {
  expect(await run("-v", "pantry:/data", "busybox", "true")).toMatchObject({ code: 125, stderr: expect.stringContaining("pantry") });
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
