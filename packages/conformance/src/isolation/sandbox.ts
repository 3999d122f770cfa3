import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseCapabilities, defaultCapabilities, resolveSeccomp } from "@ramekin/oci";
import type { Case } from "../suite.ts";
import { exec, idle, run, statusField } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

const fourteen = "00000000a80425fb";
const architecture = process.arch === "arm64" ? "arm64" : "amd64";

const status = async (fixture: IsolationFixture, options: Parameters<typeof run>[2] = {}) =>
  (await run(fixture, ["cat", "/proc/self/status"], options)).stdout;
const sets = (text: string) => ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((key) => statusField(text, key));

export const namespaces: readonly Case<IsolationFixture>[] = [
  ...["mnt", "pid", "net", "ipc", "uts", "cgroup"].map(
    (name): Case<IsolationFixture> => ({
      name: `a new ${name} namespace`,
      async run(fixture) {
        const { stdout } = await run(fixture, ["readlink", `/proc/self/ns/${name}`]);
        assert.match(stdout, new RegExp(`^${name}:\\[\\d+\\]\n$`));
        assert.notEqual(stdout.trim(), await readlink(`/proc/self/ns/${name}`));
      },
    }),
  ),
  {
    name: "the host's network namespace on request",
    async run(fixture) {
      const { stdout } = await run(fixture, ["readlink", "/proc/self/ns/net"], { namespaces: { network: "host" } });
      assert.equal(stdout.trim(), await readlink("/proc/self/ns/net"));
    },
  },
  {
    name: "a user namespace on request: root is not the host's",
    needs: ["userNamespace"],
    async run(fixture) {
      const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
      const { id } = await idle(fixture, { namespaces: { user: "private" }, idMap: { uids: map, gids: map } });
      const { stdout } = await exec(fixture, id, "id -u; readlink /proc/self/ns/user; cat /proc/self/uid_map");
      const [uid, namespace, mapping] = stdout.split("\n");
      assert.equal(uid, "0");
      assert.notEqual(namespace, await readlink("/proc/self/ns/user"));
      assert.deepEqual(mapping?.trim().split(/\s+/), ["0", "100000", "65536"]);
    },
  },
  {
    name: "a time namespace on request",
    needs: ["timeNamespace"],
    async run(fixture) {
      const { stdout } = await run(fixture, ["readlink", "/proc/self/ns/time"], { namespaces: { time: "private" } });
      assert.notEqual(stdout.trim(), await readlink("/proc/self/ns/time"));
    },
  },
  {
    name: "the program is pid 1, and sees no process of the host",
    async run(fixture) {
      const { stdout } = await run(fixture, "echo $$; ls -d /proc/[0-9]* | wc -l");
      const [pid, count] = stdout.split("\n");
      assert.equal(pid, "1");
      assert.ok(Number(count) <= 3, stdout);
    },
  },
  {
    name: "the hostname is its own",
    async run(fixture) {
      assert.equal((await run(fixture, ["hostname"], { hostname: "dish" })).stdout, "dish\n");
    },
  },
  {
    name: "a new network namespace has a loopback device, up, and nothing else",
    async run(fixture) {
      const { stdout } = await run(fixture, "ls /sys/class/net; ip -o addr show lo; ping -c 1 -W 1 127.0.0.1 > /dev/null && echo reached");
      assert.match(stdout, /^lo\n/);
      assert.match(stdout, /127\.0\.0\.1\/8/);
      assert.match(stdout, /reached\n$/);
    },
  },
];

export const privileges: readonly Case<IsolationFixture>[] = [
  {
    name: "root has Docker's fourteen capabilities, none inheritable or ambient",
    async run(fixture) {
      const none = "0".repeat(16);
      assert.deepEqual(sets(await status(fixture)), [none, fourteen, fourteen, fourteen, none]);
    },
  },
  {
    name: "a user, by number or name, has none but in the bounding set",
    async run(fixture) {
      const none = "0".repeat(16);
      for (const as of ["1000", "cook"]) assert.deepEqual(sets(await status(fixture, { as })), [none, none, none, fourteen, none], as);
    },
  },
  {
    name: "exec has the same, and an empty inheritable set (CVE-2022-29162)",
    async run(fixture) {
      const none = "0".repeat(16);
      const { id } = await idle(fixture);
      const root = await exec(fixture, id, ["cat", "/proc/self/status"]);
      assert.deepEqual(sets(root.stdout), [none, fourteen, fourteen, fourteen, none]);
      const user = await exec(fixture, id, ["cat", "/proc/self/status"], { as: "cook" });
      assert.deepEqual(sets(user.stdout), [none, none, none, fourteen, none]);
    },
  },
  {
    name: "a chosen set of capabilities is exact",
    async run(fixture) {
      const capabilities = chooseCapabilities({ drop: ["ALL"], add: ["NET_BIND_SERVICE", "CHOWN"] });
      assert.equal(statusField(await status(fixture, { capabilities }), "CapEff"), "0000000000000401");
    },
  },
  {
    name: "a seccomp filter is in force, in exec too",
    async run(fixture) {
      assert.equal(statusField(await status(fixture), "Seccomp"), "2");
      const { id } = await idle(fixture);
      assert.equal(statusField((await exec(fixture, id, ["cat", "/proc/self/status"])).stdout, "Seccomp"), "2");
    },
  },
  {
    name: "the filter denies what the kernel would allow: a new user namespace, a mount with CAP_SYS_ADMIN",
    async run(fixture) {
      const capabilities = [...defaultCapabilities, "CAP_SYS_ADMIN"];
      const seccomp = resolveSeccomp({ architecture, capabilities: defaultCapabilities });
      const { stdout } = await run(fixture, "unshare -U true 2>&1; mount -t tmpfs none /tmp 2>&1; unshare -m true 2>&1; echo end", {
        capabilities,
        edit: (spec) => ({ ...spec, linux: { ...spec.linux, seccomp } }),
      });
      assert.match(
        stdout,
        /^unshare: .*Operation not permitted\nmount: .*(permission denied|Operation not permitted).*\nunshare: .*Operation not permitted\nend\n$/i,
      );
    },
  },
  {
    name: "no_new_privs on request, and not otherwise",
    async run(fixture) {
      assert.equal(statusField(await status(fixture), "NoNewPrivs"), "0");
      assert.equal(statusField(await status(fixture, { noNewPrivileges: true }), "NoNewPrivs"), "1");
    },
  },
  {
    name: "masked paths show nothing",
    async run(fixture) {
      const { stdout } = await run(
        fixture,
        "stat -c %t:%T /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; cat /proc/keys /proc/kcore | wc -c; ls -A /sys/firmware /proc/scsi 2>/dev/null | grep -v : | grep -c .",
      );
      assert.match(stdout, /^(1:3\n)+0\n0\n$/);
    },
  },
  {
    name: "what steers the kernel is read-only: /proc/sys, /sys",
    async run(fixture) {
      // What they have already, should one be writable after all.
      const files = "/proc/sys/kernel/domainname /proc/sys/vm/drop_caches /sys/kernel/rcu_normal /sys/kernel/rcu_expedited";
      const { stdout } = await run(fixture, `for f in ${files}; do [ -e $f ] && (cat $f > $f) 2>&1 && echo $f; done; echo end`);
      const lines = stdout.trim().split("\n");
      assert.ok(lines.length >= 3, stdout); // those of /sys are not in every kernel
      for (const line of lines.slice(0, -1)) assert.match(line, /Read-only file system/);
    },
  },
  {
    name: "the control groups are read-only: no group of its own, no limit that it could lift",
    needs: ["limits"],
    async run(fixture) {
      const script = `
        for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
          [ -e $d/cgroup.procs ] && { echo seen; mkdir $d/own 2>/dev/null && echo $d/own; }
          for f in $d/memory.limit_in_bytes $d/memory.max; do [ -e $f ] && (echo 1000000000 > $f) 2>/dev/null && echo $f; done
        done`;
      const { stdout } = await run(fixture, script, { resources: { memory: { limit: 64 << 20 } } });
      assert.match(stdout, /^(seen\n)+$/);
    },
  },
  {
    name: "/dev holds the default devices and nothing of the host's",
    async run(fixture) {
      const { stdout } = await run(fixture, ["ls", "/dev"]);
      const found = stdout
        .trim()
        .split("\n")
        // A link to /proc/kcore, where the kernel has one, is `core` to runc and `kcore` to libcontainer; what it leads to is masked.
        .filter((name) => !["console", "core", "kcore"].includes(name));
      assert.deepEqual(found.sort(), [
        "fd",
        "full",
        "mqueue",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
      ]);
    },
  },
  {
    name: "the default devices work, for everybody",
    async run(fixture) {
      const script =
        "echo x > /dev/null && head -c 4 /dev/zero | od -An -tx1 && head -c 16 /dev/urandom | wc -c && (echo x > /dev/full) 2>&1; echo shm > /dev/shm/f && cat /dev/shm/f";
      const { stdout } = await run(fixture, script, { as: "cook" });
      assert.match(stdout, /^ 00 00 00 00\n16\n.*No space left.*\nshm\n$/);
    },
  },
  {
    name: "no other device opens, though its node can be made: memory, a disk",
    needs: ["devices"],
    async run(fixture) {
      const { stdout } = await run(
        fixture,
        "cd /tmp; mknod mem c 1 1 && mknod disk b 7 0 && for f in mem disk; do head -c 1 $f 2>&1; done",
      );
      assert.match(stdout, /^(head: .*Operation not permitted\n){2}$/);
    },
  },
  {
    name: "no tunnel device opens (runc before 1.2 let it through)",
    needs: ["devices"],
    async run(fixture) {
      const { stdout } = await run(fixture, "cd /tmp; mknod tun c 10 200 && (: < tun) 2>&1");
      assert.match(stdout, /Operation not permitted/);
    },
  },
  {
    name: "/dev/shm has the size asked for, 64 MiB by default",
    async run(fixture) {
      const size = async (shmSize?: number) =>
        (await run(fixture, "df -k /dev/shm | tail -1 | awk '{print $2}'", shmSize === undefined ? {} : { shmSize })).stdout.trim();
      assert.deepEqual([await size(), await size(1 << 20)], ["65536", "1024"]);
    },
  },
  {
    name: "a read-only root on request; /dev and /tmp mounts stay writable",
    async run(fixture) {
      const mounts = [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] }];
      const { stdout } = await run(fixture, "touch /x 2>&1; touch /tmp/x /dev/x && echo writable", { readonlyRoot: true, mounts });
      assert.match(stdout, /^touch: .*Read-only file system\nwritable\n$/);
      assert.equal((await run(fixture, "touch /x && echo writable")).stdout, "writable\n");
    },
  },
  {
    name: "a read-only bind mount is read-only, a bind mount is not",
    async run(fixture) {
      const { scratch } = await fixture.bundle(["true"]);
      await writeFile(join(scratch, "file"), "shared");
      const bound = async (...options: string[]) => {
        const mounts = [{ destination: "/a/b", type: "bind", source: scratch, options: ["rbind", "rprivate", ...options] }];
        return (await run(fixture, "cat /a/b/file; touch /a/b/touched 2>&1", { mounts })).stdout;
      };
      assert.match(await bound("ro"), /^sharedtouch: .*Read-only file system\n$/);
      assert.equal(await bound(), "shared");
      assert.ok(existsSync(join(scratch, "touched")));
    },
  },
  {
    name: "nothing is inherited from the creator: environment, umask, groups, descriptors",
    async run(fixture) {
      process.env["RAMEKIN_SUITE_SECRET"] = "leaked";
      try {
        const { stdout } = await run(fixture, "env | grep -c SECRET; umask; id -G");
        assert.equal(stdout, "0\n0022\n0\n");
        // The fourth is the directory that ls itself reads.
        assert.equal((await run(fixture, ["ls", "/proc/self/fd"])).stdout, "0\n1\n2\n3\n");
        assert.match((await run(fixture, ["readlink", "/proc/self/fd/3"])).stdout, /^$/);
      } finally {
        delete process.env["RAMEKIN_SUITE_SECRET"];
      }
    },
  },
  {
    name: "limits of the process and its out-of-memory score, when asked for",
    async run(fixture) {
      const { stdout } = await run(fixture, "ulimit -n; cat /proc/self/oom_score_adj", {
        rlimits: [{ type: "RLIMIT_NOFILE", soft: 512, hard: 512 }],
        oomScoreAdj: 321,
      });
      assert.equal(stdout, "512\n321\n");
    },
  },
];

export const users: readonly Case<IsolationFixture>[] = [
  {
    name: "a user by name, number, group, with the groups of /etc/group",
    async run(fixture) {
      const id = async (as: string, groups?: readonly string[]) =>
        (await run(fixture, "echo $(id -u) $(id -g) $(id -G)", { as, ...(groups && { groups }) })).stdout.trim();
      assert.equal(await id("cook"), "1000 1000 1000 2000");
      assert.equal(await id("1000"), "1000 1000 1000 2000");
      assert.equal(await id("cook:kitchen"), "1000 2000 2000");
      assert.equal(await id("cook:0"), "1000 0 0");
      assert.equal(await id("4321"), "4321 0 0");
      assert.equal(await id("4321:1234"), "4321 1234 1234");
      const more = await id("4321:1234", ["kitchen", "77"]);
      assert.deepEqual(more.split(" ").slice(2).sort(), ["1234", "2000", "77"]);
    },
  },
  {
    name: "an unknown user or group is NOT_FOUND, and nothing is left",
    async run(fixture) {
      for (const as of ["nobody-here", "cook:no-such-group"]) {
        await assert.rejects(run(fixture, "true", { as }), (error: { code?: string }) => error.code === "NOT_FOUND");
      }
      assert.deepEqual(await fixture.leftovers(), []);
    },
  },
  {
    name: "HOME is the user's, unless the environment has one",
    async run(fixture) {
      assert.equal((await run(fixture, "echo $HOME", { as: "cook" })).stdout, "/home/cook\n");
      assert.equal((await run(fixture, "echo $HOME", { as: "0" })).stdout, "/root\n");
      assert.equal((await run(fixture, "echo $HOME", { as: "cook", env: ["HOME=/elsewhere"] })).stdout, "/elsewhere\n");
    },
  },
  {
    name: "a working directory that is not there is made",
    async run(fixture) {
      assert.equal((await run(fixture, "pwd", { cwd: "/srv/deep/down" })).stdout, "/srv/deep/down\n");
    },
  },
  {
    name: "exec as another user",
    async run(fixture) {
      const { id } = await idle(fixture);
      assert.equal((await exec(fixture, id, "id -un; id -G; echo $HOME", { as: "cook" })).stdout, "cook\n1000 2000\n/home/cook\n");
      await assert.rejects(exec(fixture, id, "true", { as: "nobody-here" }), (error: { code?: string }) => error.code === "NOT_FOUND");
    },
  },
];
