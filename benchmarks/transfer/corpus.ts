import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** What is moved: the same Debian in three shapes, and what costs most per byte. */
export const images = {
  "debian-1": "Debian, one gzip layer",
  "debian-10": "Debian, ten gzip layers",
  "debian-zstd": "Debian, one zstd layer",
  "files-50000": "50,000 small files, one gzip layer",
} as const;
export type ImageName = keyof typeof images;

const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ramekin", "bench");

/** The OCI layout of an image, tagged `bench`; made once per machine, by debootstrap, tar and umoci. */
export function layoutOf(name: ImageName): string {
  const directory = join(cache, name);
  if (!existsSync(directory)) {
    const work = mkdtempSync(join(tmpdir(), "ramekin-corpus-"));
    try {
      build(name, work);
      mkdirSync(cache, { recursive: true });
      execFileSync("cp", ["-a", join(work, "layout"), `${directory}.new`]);
      renameSync(`${directory}.new`, directory);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return directory;
}

/** An uncompressed tar of the root file system, for peers that read nothing else. */
export function rootTar(name: ImageName, to: string): void {
  const work = mkdtempSync(join(tmpdir(), "ramekin-corpus-"));
  try {
    execFileSync("umoci", ["raw", "unpack", "--image", `${layoutOf(name)}:bench`, join(work, "rootfs")]);
    execFileSync("tar", ["-C", join(work, "rootfs"), "-cf", to, "."]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function build(name: ImageName, work: string): void {
  const layout = join(work, "layout");
  const image = `${layout}:bench`;
  execFileSync("umoci", ["init", "--layout", layout]);
  execFileSync("umoci", ["new", "--image", image]);
  for (const layer of name === "files-50000" ? smallFiles(work) : debian(name === "debian-10" ? 10 : 1, work)) {
    execFileSync("umoci", ["raw", "add-layer", "--image", image, layer]);
  }
  if (name !== "debian-zstd") return;
  const zstd = join(work, "zstd");
  execFileSync("skopeo", ["copy", "--quiet", "--dest-compress-format", "zstd", "--dest-compress", `oci:${image}`, `oci:${zstd}:bench`]);
  rmSync(layout, { recursive: true });
  renameSync(zstd, layout);
}

/** By debootstrap through this machine's own apt configuration, cut into `count` tars of about as many files each. */
function debian(count: number, work: string): string[] {
  const targets = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm"];
  const mirror = execFileSync("apt-get", targets, { encoding: "utf8" }).split("\n", 1)[0] ?? "";
  const rootfs = join(work, "rootfs");
  execFileSync("unshare", ["--mount", "--propagation", "private", "debootstrap", "--variant=minbase", "bookworm", rootfs, mirror]);
  const names = execFileSync("find", [".", "-mindepth", "1", "-printf", "%P\\0"], { cwd: rootfs, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\0")
    .filter((name) => name !== "")
    .sort();
  return Array.from({ length: count }, (_, index) => {
    const list = join(work, `list-${index}`);
    const size = Math.ceil(names.length / count);
    writeFileSync(list, names.slice(index * size, (index + 1) * size).join("\0"));
    const tar = join(work, `layer-${index}.tar`);
    execFileSync("tar", ["--no-recursion", "--numeric-owner", "--null", "-C", rootfs, "-T", list, "-cf", tar]);
    return tar;
  });
}

function smallFiles(work: string): string[] {
  const rootfs = join(work, "rootfs");
  for (let folder = 0; folder < 500; folder += 1) {
    const path = join(rootfs, `d${folder % 20}`, `s${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file += 1)
      writeFileSync(join(path, `f${file}`), `${folder}/${file}\n`.repeat(1 + ((folder + file) % 40)));
  }
  const tar = join(work, "layer.tar");
  execFileSync("tar", ["--numeric-owner", "-C", rootfs, "-cf", tar, "."]);
  return [tar];
}
