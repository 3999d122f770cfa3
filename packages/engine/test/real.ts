import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, copyFileSync, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import codecNode from "@ramekin/codec-node";
import { cannotMount } from "@ramekin/conformance";
import contentLayout from "@ramekin/content-layout";
import isolationLinux from "@ramekin/isolation-linux";
import isolationOci from "@ramekin/isolation-oci";
import layerNative from "@ramekin/layer-native";
import jsonFile from "@ramekin/log-json-file";
import { nativeProgram } from "@ramekin/native";
import host from "@ramekin/network-host";
import none from "@ramekin/network-none";
import { mediaTypes } from "@ramekin/oci";
import overlayfs from "@ramekin/storage-overlayfs";
import vfs from "@ramekin/storage-vfs";
import transportOci from "@ramekin/transport-oci";
import { type CreateEngineOptions, createEngine } from "../src/index.ts";

const busybox = "/bin/busybox";

/** Why nothing real can run here; undefined when it can. */
export async function cannotRun(): Promise<string | undefined> {
  if (!existsSync(busybox)) return "no /bin/busybox: install busybox-static";
  try {
    for (const part of ["ramekin-rootfs", "ramekin-shim", "ramekin-launcher"] as const) accessSync(nativeProgram(part));
  } catch (error) {
    return `no native parts: ${(error as Error).message}`;
  }
  return cannotMount();
}

/** Real drivers over a scratch store that has one image, `busybox`. */
export async function realBed(options: CreateEngineOptions = {}) {
  // Not /tmp: upper directories of overlayfs want a file system with attributes.
  const directory = await mkdtemp("/var/tmp/ramekin-engine-");
  const warnings: string[] = [];
  const open = () =>
    createEngine(
      [
        contentLayout(),
        codecNode(),
        transportOci(),
        none(),
        host(),
        jsonFile(),
        overlayfs(),
        vfs(),
        layerNative(),
        isolationLinux(),
        isolationOci(),
      ],
      {
        root: join(directory, "root"),
        runRoot: join(directory, "run"),
        environment: {},
        onWarning: (message) => warnings.push(message),
        ...options,
      },
    );
  const engine = await open();
  await engine.load(await busyboxLayout(directory));
  const runDirectory = join(directory, "run", "containers");
  return {
    directory,
    engine,
    open,
    warnings,
    runDirectory,
    /** What is left of containers, wherever they leave anything. */
    async leftovers() {
      const containers = (await readdir(join(directory, "root", "containers"))).filter((entry) => entry !== "names");
      const names = (await readdir(join(directory, "root", "containers", "names"))).filter((entry) => !entry.startsWith("."));
      const run = existsSync(runDirectory) ? await readdir(runDirectory) : [];
      const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(directory));
      return { containers, names, run, mounts };
    },
    async [Symbol.asyncDispose]() {
      for (const { id } of await engine.containers({ all: true })) await (await engine.container(id)).remove({ force: true });
      await engine[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const nothingLeft = { containers: [], names: [], run: [], mounts: [] };

/** Of one gzipped layer, as skopeo or umoci would leave it. */
async function busyboxLayout(directory: string): Promise<string> {
  const root = join(directory, "rootfs");
  for (const name of ["bin", "etc", "tmp", "home/www"]) await mkdir(join(root, name), { recursive: true });
  copyFileSync(busybox, join(root, "bin/busybox"));
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n");
  for (const applet of applets) if (applet !== "" && applet !== "busybox") await symlink("busybox", join(root, "bin", applet));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/home/www:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\nwww:x:33:\n");
  await writeFile(join(root, "etc/plain"), "no program\n");
  const tar = execFileSync("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", "-", "."], { maxBuffer: 1 << 28 });

  const layout = join(directory, "layout");
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const put = async (content: Buffer | object, mediaType: string) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hex = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(layout, "blobs/sha256", hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const layer = await put(gzipSync(tar), mediaTypes.layerGzip);
  const diffID = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
  const config = { Cmd: ["sh"], Env: ["PATH=/bin", "FROM_IMAGE=yes"] };
  const document = {
    os: "linux",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    config,
    rootfs: { type: "layers", diff_ids: [diffID] },
  };
  const manifest = await put(
    { schemaVersion: 2, mediaType: mediaTypes.manifest, config: await put(document, mediaTypes.config), layers: [layer] },
    mediaTypes.manifest,
  );
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(layout, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations: { "org.opencontainers.image.ref.name": "busybox" } }] }),
  );
  return layout;
}
