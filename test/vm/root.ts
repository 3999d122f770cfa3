import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Copies a program into `root` under its own path, with the shared libraries that ldd(1) names. */
export function copyProgram(root: string, path: string, as = path): void {
  const place = (from: string, to: string) => {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    if (existsSync(target)) return;
    copyFileSync(realpathSync(from), target);
    chmodSync(target, 0o755);
  };
  place(path, as);
  let listed = "";
  try {
    listed = execFileSync("ldd", [realpathSync(path)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return; // ldd ends with 1 for a static program
  }
  for (const [, library] of listed.matchAll(/(\/\S+) \(0x/g)) if (library) place(library, library);
}

export interface VirtualRoot {
  /** An existing, empty directory. */
  readonly directory: string;
  readonly node: string;
  /** The package of the built command: its dist folder, and what that does not bundle in node_modules. */
  readonly cli: string;
  /** The native parts. */
  readonly native: string;
  /** More folders and files, by their path in the machine. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A small Linux for the virtual machine: busybox, Node, ramekin, mke2fs, newuidmap; the users alice (with subordinate ids)
 * and bob (without).
 */
export function makeRoot({ directory, node, cli, native, files = {} }: VirtualRoot): void {
  const make = (path: string, mode = 0o755) => {
    mkdirSync(join(directory, path), { recursive: true, mode });
    chmodSync(join(directory, path), mode);
  };
  for (const path of [
    "bin",
    "sbin",
    "usr/bin",
    "usr/sbin",
    "etc",
    "proc",
    "sys",
    "dev",
    "run",
    "root",
    "home/alice",
    "home/bob",
    "var/lib",
    "mnt",
  ])
    make(path);
  make("tmp", 0o1777);
  copyFileSync("/bin/busybox", join(directory, "bin/busybox"));
  chmodSync(join(directory, "bin/busybox"), 0o755);
  for (const applet of execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    if (applet !== "busybox") symlinkSync("/bin/busybox", join(directory, "bin", applet));
  }
  copyProgram(directory, node, "/usr/bin/node");
  for (const program of [
    "/sbin/mke2fs",
    "/usr/bin/newuidmap",
    "/usr/bin/newgidmap",
    "/usr/bin/setpriv",
    "/usr/bin/unshare",
    "/bin/tar",
    "/usr/sbin/setcap",
    "/usr/sbin/getcap",
  ]) {
    if (existsSync(program)) copyProgram(directory, program, join("/usr/bin", program.split("/").pop() ?? ""));
  }
  for (const program of ["newuidmap", "newgidmap"]) chmodSync(join(directory, "usr/bin", program), 0o4755);
  symlinkSync("/usr/bin/mke2fs", join(directory, "sbin/mkfs.ext4"));
  cpSync(join(cli, "dist"), join(directory, "usr/lib/ramekin/cli"), { recursive: true });
  // What the bundle leaves outside, since plugins by others share it.
  const core = realpathSync(join(cli, "node_modules", "@ramekin", "core"));
  for (const part of ["package.json", "dist"]) {
    cpSync(join(core, part), join(directory, "usr/lib/ramekin/node_modules/@ramekin/core", part), { recursive: true });
  }
  cpSync(native, join(directory, "usr/lib/ramekin/native"), { recursive: true });
  for (const [to, from] of Object.entries(files)) cpSync(from, join(directory, to), { recursive: true, dereference: true });

  const etc = (name: string, text: string) => writeFileSync(join(directory, "etc", name), text);
  etc("passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1001:1001::/home/alice:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n");
  etc("group", "root:x:0:\nalice:x:1001:\nbob:x:1002:\n");
  etc("subuid", "alice:100000:65536\n");
  etc("subgid", "alice:100000:65536\n");
  etc("hosts", "127.0.0.1 localhost\n");
  writeFileSync(
    join(directory, "bin/ramekin"),
    '#!/bin/sh\nexport RAMEKIN_NATIVE_DIR=/usr/lib/ramekin/native\nexec /usr/bin/node /usr/lib/ramekin/cli/main.cjs "$@"\n',
    { mode: 0o755 },
  );
}
