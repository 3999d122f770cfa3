import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, canonical, missing, noKitchen, readImage, succeed, useKitchen } from "../support/index.ts";

// Others read our store while we use it.
const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const store = () => join(here().root, "images");
let digest: string;

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  await here().output(["run", "-d", "--name", "busy", "busybox", "sleep", "1000"]);
  digest = (await readImage((await busyboxImage()).folder, canonical("busybox"))).descriptor.digest;
});

test("[API-5] skopeo inspects and copies, and the digest is the same", async () => {
  const name = `oci:${store()}:${canonical("busybox")}`;
  const { stdout } = await succeed(["skopeo", "inspect", "--format", "{{.Digest}}", name]);
  expect(stdout.trim()).toBe(digest);
  await succeed(["skopeo", "copy", "--quiet", name, `oci:${join(here().folder, "copy")}:x`]);
  expect((await readImage(join(here().folder, "copy"), "x")).descriptor.digest).toBe(digest);
});

test("umoci lists, tells and unpacks", async () => {
  const { stdout } = await succeed(["umoci", "list", "--layout", store()]);
  expect(stdout.trim().split("\n")).toEqual([canonical("busybox")]);
  const image = `${store()}:${canonical("busybox")}`;
  const { history } = JSON.parse((await succeed(["umoci", "stat", "--image", image, "--json"])).stdout);
  expect(history.map(({ created_by }: { created_by: string }) => created_by).reverse()).toEqual(
    (await here().output(["history", "--no-trunc", "--format", "{{.CreatedBy}}", "busybox"])).split("\n"),
  );
  const bundle = join(here().folder, "bundle");
  await succeed(["umoci", "unpack", "--image", image, bundle]);
  expect(await readFile(join(bundle, "rootfs/etc/passwd"), "utf8")).toBe(
    (await here().ramekin(["exec", "busy", "cat", "/etc/passwd"])).stdout,
  );
});

test("podman pulls", async (context) => {
  const reason = missing("podman");
  if (reason !== undefined) return context.skip(reason);
  // It takes no longer run root than 50 characters.
  const folder = await mkdtemp("/tmp/ramekin-");
  const own = ["--root", `${folder}/root`, "--runroot", `${folder}/run`, "--storage-driver", "vfs"];
  const podman = (...args: string[]) =>
    succeed(["unshare", "--mount", "--propagation", "private", "podman", ...own, ...args], { env: here().env, timeout: 120_000 });
  try {
    const id = (await podman("pull", "--quiet", `oci:${store()}:${canonical("busybox")}`)).stdout.trim();
    expect((await podman("image", "inspect", "--format", "{{.Digest}}", id)).stdout.trim()).toBe(digest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("and we go on as if nothing had been", async () => {
  expect(await here().output(["exec", "busy", "echo", "here"])).toBe("here");
  expect(await here().output(["images", "-q", "--no-trunc"])).toBe(digest);
});
