import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export interface BenchImage {
  /** A root file system with busybox as /bin/true. */
  readonly rootfs: string;
  /** The same as an OCI layout, made by umoci; its one image is tagged `bench`. */
  readonly layout: string;
  /** The same as a tar of the root, for `import`. */
  readonly tar: string;
}

/** busybox from Debian's busybox-static: one file, no library. */
export function benchImage(directory: string): BenchImage {
  const rootfs = join(directory, "rootfs");
  for (const path of ["bin", "proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(rootfs, path), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  chmodSync(join(rootfs, "bin/busybox"), 0o755);
  for (const applet of ["true", "sh", "sleep", "cat", "ls"]) symlinkSync("busybox", join(rootfs, "bin", applet));
  const tar = join(directory, "rootfs.tar");
  execFileSync("tar", ["-C", rootfs, "-cf", tar, "."]);
  const layout = join(directory, "layout");
  execFileSync("umoci", ["init", "--layout", layout]);
  execFileSync("umoci", ["new", "--image", `${layout}:bench`]);
  execFileSync("umoci", ["insert", "--image", `${layout}:bench`, rootfs, "/"]);
  execFileSync("umoci", ["config", "--image", `${layout}:bench`, "--config.cmd", "/bin/true"]);
  return { rootfs, layout, tar };
}
