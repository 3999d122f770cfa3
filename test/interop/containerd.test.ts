import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage, command, eventually, layeredImage, missing, succeed, useKitchen, useRegistry } from "../support/index.ts";

// containerd by its own client, and buildah: what they have of ours has the same digest, and what they write comes in with it.
const registry = useRegistry(async () => []);
const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(40)] }));
const output = (...args: string[]) => here().output(args);
const at = (name: string) => join(here().folder, name);
const digestOf = async (name: string) => JSON.parse(await output("image", "inspect", name))[0].Id as string;

const absent = missing("containerd", "ctr");
const noBuildah = missing("buildah");
let folder = "";
let daemon: ReturnType<typeof spawn> | undefined;
let said = "";
const ctr = async (...args: string[]) =>
  (await succeed(["ctr", "--address", `${folder}/sock`, "--namespace", "test", ...args], { timeout: 120_000 })).stdout;

beforeAll(async () => {
  if (absent !== undefined) return;
  folder = await mkdtemp("/var/tmp/ramekin-");
  const plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.overlayfs"];
  const config = `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\ndisabled_plugins = ${JSON.stringify(plugins)}\n[grpc]\naddress = "${folder}/sock"\n`;
  await writeFile(`${folder}/config.toml`, config);
  const args = ["--mount", "--propagation", "private", "containerd", "--config", `${folder}/config.toml`];
  daemon = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
  daemon.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk).slice(-4000);
  });
  await eventually(async () => {
    const { code } = await command(["ctr", "--address", `${folder}/sock`, "version"]);
    if (code !== 0) throw new Error(`containerd does not answer:\n${said}`);
  }, 30);
}, 60_000);

afterAll(async () => {
  const ended = new Promise((resolve) => daemon?.once("exit", resolve));
  if (daemon?.kill("SIGTERM")) await ended;
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

test("[IMG-3] ctr imports what save writes, and we load what it exports", async ({ skip }) => {
  if (absent) return skip(absent);
  await output("save", "-o", at("for-ctr.tar"), "layers-40");
  await ctr("images", "import", "--no-unpack", at("for-ctr.tar"));
  const digest = await digestOf("layers-40");
  expect(await ctr("images", "ls")).toContain(digest);
  await ctr("images", "export", at("by-ctr.tar"), "docker.io/library/layers-40:latest");
  await output("rmi", "layers-40");
  expect(await output("load", "-i", at("by-ctr.tar"))).toBe("Loaded image: layers-40:latest");
  expect(await digestOf("layers-40")).toBe(digest);
});

test("[IMG-3] ctr imports the store itself, as a tar", async ({ skip }) => {
  if (absent) return skip(absent);
  const files = ["oci-layout", "index.json", "blobs"];
  await succeed(["tar", "-C", join(here().root, "images"), "-cf", at("store.tar"), ...files]);
  await ctr("images", "import", "--no-unpack", at("store.tar"));
  const listed = await ctr("images", "ls");
  expect(listed).toContain("docker.io/library/busybox:latest");
  expect(listed).toContain(await digestOf("busybox"));
});

test("[REG-1] ctr pulls what push sends, zstd layers included, and we pull what it pushes", async ({ skip }) => {
  if (absent) return skip(absent);
  for (const [name, ...flags] of [["plain"], ["zstd", "--compression", "zstd"]] as [string, ...string[]][]) {
    const ours = `${registry().host}/${name}:1`;
    await output("tag", "busybox", ours);
    const pushed = /digest: (\S+) size/.exec(await output("push", ...flags, ours))?.[1] ?? "";
    await ctr("images", "pull", "--plain-http", "--snapshotter", "native", ours);
    expect(await ctr("images", "ls", `name==${ours}`)).toContain(pushed);
    const theirs = `${registry().host}/${name}-by-ctr:1`;
    await ctr("images", "push", "--plain-http", theirs, ours);
    await output("pull", "-q", theirs);
    expect(await digestOf(theirs)).toBe(pushed);
    expect(await output("run", "--rm", theirs, "echo", "works")).toBe("works");
  }
});

test("[IMG-3] buildah reads what save writes and the store itself, and we load what it writes", async ({ skip }) => {
  if (noBuildah) return skip(noBuildah);
  const store = ["--root", at("buildah"), "--runroot", at("buildah-run"), "--storage-driver", "vfs"];
  const buildah = async (...args: string[]) => (await succeed(["buildah", ...store, ...args], { timeout: 120_000 })).stdout.trim();
  const config = JSON.parse(await output("image", "inspect", "busybox"))[0].Manifest.config.digest as string;
  const sources = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"].map(
    (format) => [format, at(`for-buildah-${format}`)] as const,
  );
  for (const [format, path] of sources) await output("save", "--format", format, "-o", path, "busybox");
  const transports: Readonly<Record<string, string>> = { "oci-dir": "oci", "docker-dir": "dir" };
  const images = sources.map(([format, path]) => `${transports[format] ?? format}:${path}`);
  for (const image of [...images, `oci:${join(here().root, "images")}:docker.io/library/busybox:latest`]) {
    expect(`sha256:${await buildah("pull", "--quiet", image)}`, image).toBe(config);
    await buildah("rmi", "--all", "--force");
  }
  const id = await buildah("pull", "--quiet", images[1] as string);
  for (const transport of ["oci", "oci-archive", "docker-archive", "dir"]) {
    const path = at(`by-buildah-${transport}`);
    const tag = transport === "dir" ? "" : ":from-buildah:1";
    await buildah("push", "--quiet", "--digestfile", at("digest"), id, `${transport}:${path}${tag}`);
    const [, name = ""] = /^Loaded image(?: ID)?: (\S+)$/m.exec(await output("load", "-i", path)) ?? [];
    if (transport !== "docker-archive") expect(await digestOf(name), transport).toBe((await readFile(at("digest"), "utf8")).trim());
    expect(await output("run", "--rm", name, "echo", transport)).toBe(transport);
    await output("rmi", name);
  }
  await buildah("rmi", "--all", "--force");
});

test("[REG-1] buildah pulls what push sends, and we pull what it pushes", async ({ skip }) => {
  if (noBuildah) return skip(noBuildah);
  const ours = `${registry().host}/for-buildah:1`;
  await output("tag", "layers-40", ours);
  await output("push", "-q", ours);
  const store = ["--root", at("buildah"), "--runroot", at("buildah-run"), "--storage-driver", "vfs"];
  await succeed(["buildah", ...store, "pull", "--quiet", "--tls-verify=false", ours], { timeout: 120_000 });
  const copy = `docker://${registry().host}/by-buildah:1`;
  await succeed(["buildah", ...store, "push", "--quiet", "--tls-verify=false", "--digestfile", at("digest"), ours, copy], {
    timeout: 120_000,
  });
  await output("pull", "-q", copy.slice("docker://".length));
  expect(await digestOf(copy.slice("docker://".length))).toBe((await readFile(at("digest"), "utf8")).trim());
  await succeed(["buildah", ...store, "rmi", "--all", "--force"]);
});
