import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { cached } from "./cache.ts";
import { command, missing, succeed } from "./command.ts";
import { image, layout, named, readImage } from "./layout.ts";
import { tar } from "./tar.ts";

/** An image in a layout, by the name that the layout's index gives it. */
export interface TestImage {
  /** For `ramekin load -i`. */
  readonly folder: string;
  /** As `ramekin run` takes it. */
  readonly name: string;
}

const canonical = (name: string) => `docker.io/library/${name}:latest`;

/** Without these there is no test image at all. */
export const noImages = missing("busybox", "umoci", "skopeo", "tar", "cp");
export const noBuildah = noImages ?? missing("buildah");
export const noDebian = noImages ?? missing("debootstrap", "apt-get", "unshare");

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
cook:x:1000:1001:The cook:/home/cook:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`;
const group = `root:x:0:
daemon:x:1:
kitchen:x:1001:
bakers:x:1002:cook
nogroup:x:65534:
`;

/**
 * Debian's busybox-static as an image of one layer, written by umoci: half of the applets as hard links, half as symbolic
 * ones; users `root`, `daemon`, `cook` (1000:1001, also in `bakers`, 1002) and `nobody`.
 */
export async function busyboxImage(): Promise<TestImage> {
  const version = (await succeed(["busybox", "--help"])).stdout.split("\n", 1)[0] ?? "";
  const folder = await cached("busybox", version + passwd + group, async (made) => {
    const work = await mkdtemp(join(tmpdir(), "ramekin-busybox-"));
    const umoci = (...args: string[]) => succeed(["umoci", ...args], { cwd: work });
    try {
      await umoci("init", "--layout", "layout");
      await umoci("new", "--image", "layout:latest");
      await umoci("unpack", "--image", "layout:latest", "bundle");
      const root = join(work, "bundle", "rootfs");
      for (const directory of ["bin", "dev", "etc", "home", "proc", "root", "sys", "usr/bin", "var"])
        await mkdir(join(root, directory), { recursive: true });
      await mkdir(join(root, "home/cook"), { mode: 0o750 });
      await succeed(["sh", "-c", "chown 1000:1001 home/cook && mkdir tmp && chmod 1777 tmp && cp /bin/busybox bin/busybox"], { cwd: root });
      const applets = (await succeed(["busybox", "--list"])).stdout
        .trim()
        .split("\n")
        .filter((name) => name !== "busybox");
      const script = applets
        .map((name, index) => (index % 2 === 0 ? `ln bin/busybox bin/${name}` : `ln -s busybox bin/${name}`))
        .join("\n");
      await succeed(["sh", "-e"], { cwd: root, input: script });
      await writeFile(join(root, "etc/passwd"), passwd);
      await writeFile(join(root, "etc/group"), group);
      await writeFile(join(root, "etc/plain"), "not a program\n", { mode: 0o644 });
      await umoci("repack", "--image", "layout:latest", "bundle");
      await umoci(
        "config",
        "--image",
        "layout:latest",
        "--config.cmd",
        "sh",
        "--config.env",
        "PATH=/bin:/usr/bin",
        "--config.env",
        "DISH=souffle",
      );
      await succeed(["skopeo", "copy", "--quiet", "oci:layout:latest", `oci:${made}:${canonical("busybox")}`], { cwd: work });
    } finally {
      await rm(work, { recursive: true });
    }
  });
  return { folder, name: "busybox" };
}

/** busybox with `count` layers in all; layer n adds `/layers/n`, and each replaces `/layers/top`. Read by skopeo before anybody else does. */
export async function layeredImage(count: number): Promise<TestImage> {
  const name = `layers-${count}`;
  const { folder: base } = await busyboxImage();
  const folder = await cached(name, base, async (made) => {
    const { layers, config } = await readImage(base, canonical("busybox"));
    const first = layers[0];
    if (!first) throw new Error(`${base}: no layer`);
    const below = gunzipSync(await readFile(join(base, "blobs", first.digest.replace(":", "/"))));
    const above = Array.from({ length: count - 1 }, (_, index) =>
      tar([
        { path: "layers", type: "directory" },
        { path: `layers/${index + 1}`, content: `${index + 1}\n` },
        { path: "layers/top", content: `${index + 1}\n` },
      ]),
    );
    const at = await layout(made);
    const descriptor = await image(at, { tars: [below, ...above], config: config.config ?? {} });
    await at.index([named(descriptor, canonical(name))]);
    await succeed(["skopeo", "inspect", "--raw", `oci:${made}:${canonical(name)}`]);
    await succeed(["skopeo", "copy", "--quiet", `oci:${made}:${canonical(name)}`, `dir:${join(made, "copy")}`]);
    await rm(join(made, "copy"), { recursive: true });
  });
  return { folder, name };
}

/** A Debian of about 200 MB, made by debootstrap through this machine's own apt configuration: real packages, users, setuid programs, device nodes. */
export async function debianImage(): Promise<TestImage> {
  const folder = await cached("debian", "", async (made) => {
    const mirror = (
      await succeed(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm"])
    ).stdout.split("\n", 1)[0];
    if (!mirror) throw new Error("no package registry: apt knows no source of bookworm");
    const work = await mkdtemp(join(tmpdir(), "ramekin-debian-"));
    try {
      const alone = ["unshare", "--mount", "--propagation", "private"];
      await succeed([...alone, "debootstrap", "--variant=minbase", "bookworm", join(work, "rootfs"), mirror], { timeout: 600_000 });
      await succeed(["sh", "-c", "rm -rf rootfs/var/cache/apt/archives/*.deb && echo ramekin-test > rootfs/etc/hostname"], { cwd: work });
      await succeed(["useradd", "--root", join(work, "rootfs"), "--create-home", "--shell", "/bin/bash", "cook"]);
      await succeed(["tar", "--xattrs", "--numeric-owner", "--sort=name", "-C", "rootfs", "-cf", "layer.tar", "."], { cwd: work });
      await succeed(["umoci", "init", "--layout", "layout"], { cwd: work });
      await succeed(["umoci", "new", "--image", "layout:latest"], { cwd: work });
      await succeed(["umoci", "raw", "add-layer", "--image", "layout:latest", "layer.tar"], { cwd: work, timeout: 300_000 });
      const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
      await succeed(["umoci", "config", "--image", "layout:latest", "--config.cmd", "bash", "--config.env", path], { cwd: work });
      await succeed(["skopeo", "copy", "--quiet", "oci:layout:latest", `oci:${made}:${canonical("debian")}`], { cwd: work });
    } finally {
      await rm(work, { recursive: true });
    }
  });
  return { folder, name: "debian" };
}

/** busybox plus what a build adds, by buildah: two layers, a whiteout, an opaque directory, labels, entry point and user. */
export async function buildahImage(): Promise<TestImage> {
  const { folder: base } = await busyboxImage();
  const folder = await cached("buildah", base, async (made) => {
    const work = await mkdtemp(join(tmpdir(), "ramekin-buildah-"));
    const alone = ["unshare", "--mount", "--propagation", "private"];
    const buildah = async (...args: string[]) => {
      const own = ["--root", join(work, "root"), "--runroot", join(work, "run"), "--storage-driver", "vfs"];
      return (await succeed([...alone, "buildah", ...own, ...args], { timeout: 120_000 })).stdout.trim();
    };
    try {
      const container = await buildah("from", "scratch");
      await writeFile(join(work, "base.tar"), await busyboxTar());
      await buildah("add", "--quiet", container, join(work, "base.tar"), "/");
      const run = (from: string, script: string) => buildah("run", "--isolation", "chroot", from, "--", "/bin/sh", "-ec", script);
      await run(container, "mkdir /menu && echo soup > /menu/monday && echo pie > /menu/tuesday");
      await buildah("commit", "--quiet", container, "half");
      const second = await buildah("from", "localhost/half");
      await run(second, "rm /menu/monday; rm -r /var; mkdir /var; echo fresh > /var/new");
      const entrypoint = ["--entrypoint", '["/bin/echo","served:"]', "--cmd", "pie", "--env", "PATH=/bin"];
      await buildah("config", ...entrypoint, "--label", "course=main", "--user", "cook", "--workingdir", "/menu", second);
      await buildah("commit", "--quiet", second, `oci:${join(work, "whole")}:whole`);
      await succeed(["skopeo", "copy", "--quiet", `oci:${join(work, "whole")}:whole`, `oci:${made}:${canonical("bakery")}`]);
      await buildah("rm", "--all");
      await buildah("rmi", "--all", "--force");
    } finally {
      await command([...alone, "rm", "-rf", work]);
    }
  });
  return { folder, name: "bakery" };
}

/** For tests of bad names and sizes: an image that holds nothing but `files`, by a writer of our own. */
export async function smallImage(folder: string, name: string, options: Parameters<typeof image>[1]): Promise<TestImage> {
  const at = await layout(folder);
  await at.index([named(await image(at, options), canonical(name))]);
  return { folder, name };
}

/** busybox's own layer, uncompressed: the ground on which tests put a layer of theirs. */
export async function busyboxTar(): Promise<Buffer> {
  const { folder } = await busyboxImage();
  const { layers } = await readImage(folder, canonical("busybox"));
  return gunzipSync(await readFile(join(folder, "blobs", (layers[0]?.digest ?? "").replace(":", "/"))));
}

/** A copy of an image's layout that a test may spoil. */
export async function copyOf({ folder, name }: TestImage, to: string): Promise<TestImage> {
  await cp(folder, to, { recursive: true });
  return { folder: to, name };
}

export { canonical };
