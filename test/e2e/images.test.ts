import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  buildahImage,
  busyboxImage,
  copyOf,
  kitchen,
  layeredImage,
  needs,
  noBuildah,
  noKitchen,
  succeed,
  useKitchen,
} from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);

test("[IMG-1] images, in Docker's columns", async () => {
  const [heading = "", line = ""] = (await output("images")).split("\n");
  expect(heading.split(/ {2,}/)).toEqual(["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
  expect(line).toMatch(/^busybox +latest +[0-9a-f]{12} +.+ +[0-9.]+[kM]?B$/);
});

test("[images --quiet] [images --no-trunc] [images --digests] [images --format] [images --all]", async () => {
  const [{ Id: id }] = JSON.parse(await output("image", "inspect", "busybox"));
  expect(await output("images", "--quiet")).toBe(id.slice("sha256:".length, "sha256:".length + 12));
  expect(await output("images", "-q", "--no-trunc")).toBe(id);
  expect(await output("images", "--digests")).toContain(id);
  expect(await output("images", "--all", "--format", "{{.Repository}}:{{.Tag}}")).toBe("busybox:latest");
});

test("[images --filter] reference and dangling", async () => {
  await output("tag", "busybox", "other/name:v1");
  const named = async (...args: string[]) =>
    (await output("images", ...args, "--format", "{{.Repository}}:{{.Tag}}")).split("\n").filter(Boolean);
  expect(await named("--filter", "reference=other/*")).toEqual(["other/name:v1"]);
  expect(await named("busybox")).toEqual(["busybox:latest"]);
  expect(await named("--filter", "dangling=true")).toEqual([]);
  await output("rmi", "other/name:v1");
});

test("[IMG-1] tag, and rmi name by name", async () => {
  await output("tag", "busybox", "localhost/copy:2");
  expect(await output("run", "--rm", "localhost/copy:2", "echo", "same")).toBe("same");
  expect(await output("rmi", "localhost/copy:2")).toBe("Untagged: localhost/copy:2");
  expect((await here().ramekin(["run", "--rm", "--pull", "never", "localhost/copy:2", "true"])).code).toBe(125);
  expect(await here().ramekin(["tag", "nobody", "x"])).toMatchObject({ code: 1, stderr: expect.stringContaining("nobody") });
  expect((await here().ramekin(["rmi", "nobody"])).code).toBe(1);
});

test("[rmi --force] an image in use is refused without it", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  await fresh.output(["create", "--name", "user", "busybox"]);
  expect(await fresh.ramekin(["rmi", "busybox"])).toMatchObject({ code: 1, stderr: expect.stringContaining("user") });
  await fresh.output(["rmi", "--force", "busybox"]);
  expect(await fresh.output(["images", "-q"])).toBe("");
});

test("the last name takes blobs and snapshots with it", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  await fresh.output(["run", "--rm", "busybox", "true"]);
  expect(await fresh.output(["rmi", "busybox"])).toMatch(/^Untagged: busybox:latest\nDeleted: sha256:/);
  await fresh.output(["system", "prune", "-f"]);
  const left = (await fresh.traces()).filter((path) => /blobs\/sha256\/[0-9a-f]/.test(path));
  expect(left).toEqual([]);
});

test("[image inspect --format] [image inspect --platform]", async () => {
  expect(await output("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", "busybox")).toBe("linux/amd64");
  expect(JSON.parse(await output("image", "inspect", "--platform", "linux/amd64", "busybox"))[0].Config.Cmd).toEqual(["sh"]);
  expect((await here().ramekin(["image", "inspect", "--platform", "linux/s390x", "busybox"])).code).toBe(1);
});

test("[load --input] [load --quiet] [IMG-3] a layout, its tar, a docker-archive, by name and through stdin", async () => {
  const { folder } = await busyboxImage();
  await using fresh = await kitchen();
  const archive = join(fresh.folder, "archive.tar");
  const docker = join(fresh.folder, "docker.tar");
  await succeed(["tar", "-C", folder, "-cf", archive, "."]);
  await succeed([
    "skopeo",
    "copy",
    "--quiet",
    `oci:${folder}:docker.io/library/busybox:latest`,
    `docker-archive:${docker}:localhost/docker:1`,
  ]);
  expect(await fresh.output(["load", "--input", folder])).toContain("busybox:latest");
  await fresh.output(["rmi", "busybox"]);
  expect(await fresh.output(["load", "-i", archive])).toContain("Loaded image: busybox:latest");
  expect(await fresh.output(["load", "--quiet"], { input: await readFile(docker) })).toContain("localhost/docker:1");
  expect(await fresh.output(["run", "--rm", "localhost/docker:1", "echo", "from docker"])).toBe("from docker");
  expect((await fresh.ramekin(["load", "-i", join(fresh.folder, "absent")])).code).toBe(1);
  expect((await fresh.ramekin(["load"], { input: "this is no archive" })).code).toBe(1);
});

test.each([1, 40, 200])("%i layers", async (count) => {
  await using fresh = await kitchen({ images: [count === 1 ? await busyboxImage() : await layeredImage(count)] });
  const script = count === 1 ? "echo 1" : "ls /layers | wc -l; cat /layers/top";
  const expected = count === 1 ? "1" : `${count}\n${count - 1}`;
  expect(await fresh.output(["run", "--rm", count === 1 ? "busybox" : `layers-${count}`, "sh", "-c", script], { timeout: 120_000 })).toBe(
    expected,
  );
});

test("an image that buildah has made: whiteouts, opaque directories, entry point, user, directory", async (context) => {
  if (noBuildah !== undefined) return context.skip(noBuildah);
  await output("load", "-q", "-i", (await buildahImage()).folder);
  expect(await output("run", "--rm", "bakery")).toBe("served: pie");
  expect(await output("run", "--rm", "bakery", "soup")).toBe("served: soup");
  expect(await output("run", "--rm", "--entrypoint", "sh", "bakery", "-c", "id -un; pwd; ls /menu /var")).toBe(
    "cook\n/menu\n/menu:\ntuesday\n\n/var:\nnew",
  );
  expect(await output("image", "inspect", "-f", "{{.Config.Labels.course}}", "bakery")).toBe("main");
  await output("rmi", "bakery");
});

test("a damaged layout is refused, and leaves nothing", async () => {
  await using fresh = await kitchen();
  const spoilt = await copyOf(await busyboxImage(), join(fresh.folder, "spoilt"));
  const { stdout } = await succeed(["sh", "-c", "cd blobs/sha256 && f=$(ls -S | head -1) && truncate -s -1 $f && echo $f"], {
    cwd: spoilt.folder,
  });
  const { code, stderr } = await fresh.ramekin(["load", "-i", spoilt.folder]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(stdout.trim().slice(0, 12)) });
  expect(await fresh.output(["images", "-q"])).toBe("");
});

needs(noKitchen);
