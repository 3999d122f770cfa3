import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, debianImage, noDebian, noKitchen, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const sh = (script: string, ...flags: string[]) => here().output(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);
const exec = (script: string, ...flags: string[]) => here().output(["exec", ...flags, "prisoner", "sh", "-c", script]);

beforeAll(async () => {
  if (noKitchen === undefined) await here().output(["run", "-d", "--name", "prisoner", "busybox", "sleep", "1000"]);
});

/** Both doors into a container. */
const doors = [
  ["run", sh],
  ["exec", exec],
] as const;

describe.each(doors)("in %s", (_, enter) => {
  const capabilities = async (...flags: string[]) => {
    const status = await enter("cat /proc/self/status", ...flags);
    return Object.fromEntries([...status.matchAll(/^Cap(\w+):\s*(\w+)$/gm)].map(([, name, value]) => [name, value]));
  };

  test("[ISO-7] [CVE-2022-29162] Docker's fourteen capabilities, none of them inheritable or ambient", async () => {
    const docker = "00000000a80425fb";
    const none = "0000000000000000";
    expect(await capabilities()).toEqual({ Inh: none, Prm: docker, Eff: docker, Bnd: docker, Amb: none });
    expect(await capabilities("-u", "cook")).toEqual({ Inh: none, Prm: none, Eff: none, Bnd: docker, Amb: none });
  });

  test("[CVE-2022-2989] no group but those of the container's own user", async () => {
    expect(await enter("id -G", "-u", "4242:4343")).toBe("4343");
    expect(await enter("id -G", "-u", "0")).toBe("0");
    expect(await enter("id -G", "-u", "cook")).toBe("1001 1002");
  });

  test("[CVE-2024-21626] no descriptor but stdin, stdout and stderr", async () => {
    // 3 is the one with which ls reads the directory.
    expect(await enter("ls /proc/self/fd")).toBe("0\n1\n2\n3");
    expect(await enter("ls /proc/self/fd", "-i")).toBe("0\n1\n2\n3");
  });

  test("no signal ignored or blocked, the usual umask, no variable of ours", async () => {
    const status = await enter("grep -E '^Sig(Blk|Ign)' /proc/self/status; umask");
    expect(status).toBe("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022");
    const names = (await enter("env"))
      .split("\n")
      .map((line) => line.split("=")[0])
      .sort();
    expect(names.filter((name) => !["PATH", "HOSTNAME", "HOME", "DISH", "PWD", "SHLVL", "TERM", "OLDPWD"].includes(name ?? ""))).toEqual(
      [],
    );
  });

  test("kernel interfaces are masked or read-only", async () => {
    expect(await enter("for f in kcore keys timer_list; do [ -e /proc/$f ] && head -c 16 /proc/$f | wc -c; done | sort -u")).toBe("0");
    expect(await enter("ls /sys/firmware | wc -l")).toBe("0");
    for (const path of [
      "/proc/sys/kernel/core_pattern",
      "/proc/sysrq-trigger",
      "/proc/irq/default_smp_affinity",
      "/sys/kernel/uevent_helper",
    ]) {
      const answer = await enter(`[ ! -e ${path} ] || (echo x > ${path}) 2>/dev/null && [ -e ${path} ] && echo written; true`);
      expect([path, answer]).toEqual([path, ""]);
    }
  });

  test("no device opens but the usual ones", async () => {
    const make = "cd /tmp; rm -f d; mknod d";
    for (const [kind, major, minor] of [
      ["b", 7, 0],
      ["b", 8, 0],
      ["c", 1, 1],
      ["c", 10, 200],
      ["c", 10, 229],
      ["c", 10, 232],
    ]) {
      const answer = await enter(`${make} ${kind} ${major} ${minor} && head -c 1 d >/dev/null 2>&1 && echo opened; true`);
      expect([kind, major, minor, answer]).toEqual([kind, major, minor, ""]);
    }
    expect(await enter("for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo $d; done; head -c 4 /dev/zero | wc -c")).toBe(
      "4",
    );
  });

  test("[CVE-2022-0492] no new namespace, no mount", async () => {
    expect(await enter("unshare -Ur true 2>/dev/null || unshare -m true 2>/dev/null || echo no")).toBe("no");
    expect(await enter("mount -t tmpfs none /tmp 2>/dev/null || mount -t cgroup none /tmp 2>/dev/null || echo no")).toBe("no");
  });
});

test("[ISO-1] namespaces of its own", async () => {
  const { State } = await here().inspect("prisoner");
  const { readlink } = await import("node:fs/promises");
  for (const name of ["mnt", "pid", "net", "ipc", "uts"]) {
    expect(await readlink(`/proc/${State.Pid}/ns/${name}`)).not.toBe(await readlink(`/proc/self/ns/${name}`));
  }
});

test("[CVE-2019-5736] the programs that enter a container cannot be written from inside", async () => {
  const folder = process.env["RAMEKIN_NATIVE_DIR"] ?? join(import.meta.dirname, "../../.cache/native");
  const hashes = async () => {
    const names = (await readdir(folder)).sort();
    return Promise.all(
      names.map(
        async (name) =>
          `${name} ${createHash("sha256")
            .update(await readFile(join(folder, name)))
            .digest("hex")}`,
      ),
    );
  };
  const before = await hashes();
  const attack =
    "n=0; while [ $n -lt 400 ]; do n=$((n+1)); for p in /proc/[0-9]*; do (exec 3>>$p/exe; echo evil >&3); done; done 2>/dev/null; true";
  const attacks = here().ramekin(["exec", "prisoner", "sh", "-c", attack]);
  for (let n = 0; n < 10; n++) await here().ramekin(["exec", "prisoner", "/proc/self/exe", "--version"]);
  await here().ramekin(["run", "--rm", "--entrypoint", "/proc/self/exe", "busybox", "--version"]);
  await attacks;
  expect(await hashes()).toEqual(before);
});

test("[CVE-2021-21284] the store is for its owner, sockets too", async () => {
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect(await mode(here().root)).toBe("700");
  const { Id } = await here().inspect("prisoner");
  const files = await readdir(join(here().runRoot, "containers", Id));
  expect(files).toContain("sock");
  expect(await mode(join(here().runRoot, "containers", Id, "sock"))).toBe("600");
  // Whoever cannot pass through the top sees nothing below it.
  expect(await mode(here().runRoot)).toBe("700");
});

test("[CVE-2020-15257] no abstract socket that the host's network namespace would show", async () => {
  const listed = await readFile("/proc/net/unix", "utf8");
  expect(listed.split("\n").filter((line) => /@.*ramekin/.test(line))).toEqual([]);
});

describe("[ISO-6] system calls that a Debian tries", () => {
  const debian = useKitchen(async () => ({ images: [await debianImage()] }), noDebian);

  // Number of the call on x86-64, its arguments, the error: 1 EPERM, 38 ENOSYS, 97 EAFNOSUPPORT.
  test.skipIf(process.arch !== "x64").each([
    ["keyctl", 250, "0, 0, 0", [1, 38]],
    ["add_key", 248, "0, 0, 0, 0, 0", [1, 38]],
    ["bpf", 321, "0, 0, 0", [1, 38]],
    ["userfaultfd", 323, "0", [1, 38]],
    ["io_uring_setup", 425, "1, 0", [1, 38]],
    ["perf_event_open", 298, "0, 0, -1, -1, 0", [1, 38]],
    ["unshare", 272, "0x10000000", [1]],
    ["setns", 308, "0, 0", [1]],
    ["mount", 165, "0, 0, 0, 0, 0", [1]],
    ["open_by_handle_at", 304, "0, 0, 0", [1]],
    ["kexec_load", 246, "0, 0, 0, 0", [1]],
    ["init_module", 175, "0, 0, 0", [1]],
    ["clone3", 435, "0, 0", [38]],
    ["socket AF_VSOCK", 41, "40, 1, 0", [1, 97]],
  ] as const)("%s is denied", async (_, number, args, errors) => {
    const script = `print((syscall(${number}, ${args}) == -1) ? $!+0 : "allowed")`;
    const answer = await debian().output(["run", "--rm", "debian", "perl", "-e", script]);
    expect(errors.map(String)).toContain(answer);
  });
});
