import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** An OCI layout with one image, localhost/busybox:latest, made by umoci and named by skopeo. */
export function busyboxLayout(scratch: string, layout: string): void {
  const rootfs = join(scratch, "busybox-rootfs");
  for (const path of ["bin", "proc", "sys", "dev", "etc", "tmp", "root"]) mkdirSync(join(rootfs, path), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  chmodSync(join(rootfs, "bin/busybox"), 0o755);
  for (const applet of execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    if (applet !== "busybox") symlinkSync("busybox", join(rootfs, "bin", applet));
  }
  const made = join(scratch, "umoci");
  execFileSync("umoci", ["init", "--layout", made]);
  execFileSync("umoci", ["new", "--image", `${made}:latest`]);
  execFileSync("umoci", ["insert", "--image", `${made}:latest`, rootfs, "/"]);
  execFileSync("umoci", ["config", "--image", `${made}:latest`, "--config.cmd", "/bin/sh", "--config.env", "PATH=/bin"]);
  execFileSync("skopeo", ["copy", "--quiet", `oci:${made}:latest`, `oci:${layout}:localhost/busybox:latest`]);
}
