import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const run = (...args: string[]) => here().ramekin(["run", "--rm", ...args]);
const sh = async (script: string, ...flags: string[]) => here().output(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);

describe("output and exit codes", () => {
  test("[CTR-2] stdout and stderr stay apart", async () => {
    const result = await run("busybox", "sh", "-c", "echo out; echo err >&2");
    expect(result).toMatchObject({ code: 0, stdout: "out\n", stderr: "err\n" });
  });

  test.each([0, 1, 3, 255])("[CTR-7] exit code %i is passed on", async (code) => {
    expect((await run("busybox", "sh", "-c", `exit ${code}`)).code).toBe(code);
  });

  test("[CTR-7] a program that is not there: 127, with its name", async () => {
    const { code, stderr } = await run("busybox", "no-such-program");
    expect({ code, stderr }).toEqual({ code: 127, stderr: expect.stringContaining("no-such-program") });
  });

  test("[CTR-7] a file that is no program: 126, with its name", async () => {
    const { code, stderr } = await run("busybox", "/etc/plain");
    expect({ code, stderr }).toEqual({ code: 126, stderr: expect.stringContaining("/etc/plain") });
  });

  test("[CTR-7] a directory is no program: 126", async () => {
    expect((await run("busybox", "/etc")).code).toBe(126);
  });

  test("[CTR-7] an error of the engine: 125", async () => {
    expect((await run("--pull", "never", "no-such-image")).code).toBe(125);
  });

  test("the image's own command runs when none is given, with the image's environment", async () => {
    const { stdout } = await here().ramekin(["run", "--rm", "-i", "busybox"], { input: "echo $DISH\n" });
    expect(stdout).toBe("souffle\n");
  });

  test("[run --rm] leaves nothing", async () => {
    const before = await here().traces();
    await run("busybox", "true");
    await eventually(async () => expect(await here().traces()).toEqual(before));
  });

  test("a hundred megabytes pass through stdout, unchanged", async () => {
    const script = "dd if=/dev/urandom of=/tmp/x bs=1M count=100 2>/dev/null; sha256sum /tmp/x >&2; cat /tmp/x";
    const { bytes, stderr, code } = await here().ramekin(["run", "--rm", "busybox", "sh", "-c", script], {
      timeout: 60_000,
    });
    expect({ code, size: bytes.byteLength }).toEqual({ code: 0, size: 100 << 20 });
    expect(stderr.split(" ")[0]).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  test("a hundred megabytes pass through stdin, unchanged [run --interactive]", async () => {
    const input = Buffer.alloc(100 << 20, "0123456789abcdef\n");
    const result = await here().ramekin(["run", "--rm", "-i", "busybox", "sha256sum"], { input, timeout: 60_000 });
    expect(result.stdout).toBe(`${createHash("sha256").update(input).digest("hex")}  -\n`);
  });
});

describe("flags", () => {
  test("[run --env] later ones win, and a bare name takes the caller's value", async () => {
    const result = await here().ramekin(
      ["run", "--rm", "-e", "A=1", "--env", "A=2", "-e", "FROM_OUTSIDE", "-e", "NOT_SET", "busybox", "env"],
      {
        env: { FROM_OUTSIDE: "yes" },
      },
    );
    const lines = result.stdout.split("\n");
    expect(lines).toEqual(expect.arrayContaining(["A=2", "FROM_OUTSIDE=yes", "DISH=souffle", "HOME=/root"]));
    expect(lines.filter((line) => line.startsWith("A=") || line.startsWith("NOT_SET"))).toEqual(["A=2"]);
  });

  test("[run --env-file] reads comments and bare names, and --env wins", async () => {
    const path = join(here().folder, "env");
    await writeFile(path, "# comment\n\nA=from file\nB=two=2\nFROM_OUTSIDE\n");
    const result = await here().ramekin(["run", "--rm", "--env-file", path, "-e", "A=from flag", "busybox", "env"], {
      env: { FROM_OUTSIDE: "yes" },
    });
    expect(result.stdout.split("\n")).toEqual(expect.arrayContaining(["A=from flag", "B=two=2", "FROM_OUTSIDE=yes"]));
  });

  test("[run --workdir] is made when it is not there", async () => {
    expect(await sh("pwd", "-w", "/made/up")).toBe("/made/up");
    expect(await sh("pwd", "--workdir", "/etc")).toBe("/etc");
  });

  test.each([
    ["cook", "uid=1000(cook) gid=1001(kitchen) groups=1001(kitchen),1002(bakers)"],
    ["1000", "uid=1000(cook) gid=1001(kitchen) groups=1001(kitchen),1002(bakers)"],
    ["cook:bakers", "uid=1000(cook) gid=1002(bakers)"],
    ["4242:4343", "uid=4242 gid=4343"],
    ["4242", "uid=4242 gid=0(root)"],
  ])("[run --user] %s", async (user, expected) => {
    expect(await sh("id", "--user", user)).toMatch(new RegExp(`^${expected.replace(/[()]/g, "\\$&")}`));
  });

  test("[run --user] HOME is the user's, and an unknown name is refused", async () => {
    expect(await sh("echo $HOME", "-u", "cook")).toBe("/home/cook");
    const { code, stderr } = await run("-u", "stranger", "busybox", "true");
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("stranger") });
  });

  test("[run --entrypoint] replaces the entry point and drops the image's command", async () => {
    expect(await here().output(["run", "--rm", "--entrypoint", "echo", "busybox", "one", "two"])).toBe("one two");
    expect(await here().output(["run", "--rm", "--entrypoint", "/bin/pwd", "busybox"])).toBe("/");
  });

  test("[run --hostname] and without it, the beginning of the id", async () => {
    expect(await sh("hostname; cat /etc/hostname; grep -c oven /etc/hosts", "--hostname", "oven")).toBe("oven\noven\n1");
    const id = await here().output(["run", "-d", "busybox", "hostname"]);
    await here().output(["wait", id]);
    expect(await here().output(["logs", id])).toBe(id.slice(0, 12));
  });

  test("[run --label] shows in inspect", async () => {
    const id = await here().output(["create", "--label", "a=1", "-l", "b", "busybox"]);
    expect((await here().inspect(id)).Config.Labels).toMatchObject({ a: "1", b: "" });
  });

  test("[run --name] and the same name twice", async () => {
    await here().output(["run", "--name", "unique", "busybox", "true"]);
    const again = await here().ramekin(["run", "--name", "unique", "busybox", "true"]);
    expect(again).toMatchObject({ code: 125, stderr: expect.stringContaining("unique") });
    await here().output(["rm", "unique"]);
    expect(await here().output(["run", "--rm", "--name", "unique", "busybox", "echo", "again"])).toBe("again");
  });

  test("[run --cidfile] holds the id, and is never overwritten", async () => {
    const path = join(here().folder, "cid");
    const id = await here().output(["run", "-d", "--cidfile", path, "busybox", "true"]);
    expect(await sh("cat /cid", "-v", `${path}:/cid:ro`)).toBe(id);
    expect((await run("--cidfile", path, "busybox", "true")).code).toBe(125);
  });

  test("[run --interactive] without it stdin is empty, with it it is ours", async () => {
    expect((await here().ramekin(["run", "--rm", "busybox", "cat"], { input: "in" })).stdout).toBe("");
    expect((await here().ramekin(["run", "--rm", "-i", "busybox", "cat"], { input: "in" })).stdout).toBe("in");
    expect((await here().ramekin(["run", "--rm", "--interactive", "busybox", "cat"], { input: "" })).stdout).toBe("");
  });

  test("[run --attach] only to what is named", async () => {
    const result = await here().ramekin(["run", "--rm", "-a", "stderr", "busybox", "sh", "-c", "echo out; echo err >&2"]);
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "err\n" });
  });

  test("[run --read-only] nothing but mounts can be written", async () => {
    const { code, stderr } = await run("--read-only", "--tmpfs", "/scratch", "busybox", "sh", "-c", "echo ok > /scratch/x && echo no > /x");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("Read-only file system") });
  });

  test("[run --init] pid 1 is an init that reaps and passes the exit code on", async () => {
    const result = await run("--init", "busybox", "sh", "-c", "(sleep 0.1 &); sleep 0.4; ps -o pid,stat,comm; exit 5");
    expect(result.code).toBe(5);
    expect(result.stdout).not.toMatch(/\bZ\b/);
    expect(result.stdout).toMatch(/^ +1 \S+ +ramekin-init/m);
  });

  test("[run --quiet] [run --pull] never, missing and always", async () => {
    expect(await here().ramekin(["run", "--rm", "--pull", "never", "absent"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("absent"),
    });
    expect(await here().output(["run", "--rm", "-q", "--pull", "missing", "busybox", "echo", "here"])).toBe("here");
    const { code, stderr } = await run("--pull", "sometimes", "busybox", "true");
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("always") });
  });

  test("[run --platform] one that the image does not have is refused", async () => {
    const { code, stderr } = await run("--platform", "linux/s390x", "--pull", "never", "busybox", "true");
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("s390x") });
    expect(await here().output(["run", "--rm", "--platform", "linux/amd64", "busybox", "echo", "ok"])).toBe("ok");
  });

  test("[run --publish] what is not there yet is refused, with the missing driver's name", async () => {
    const { code, stderr } = await run("-p", "8080:80", "busybox", "true");
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("bridge") });
  });
});

describe("[NET-1] networks", () => {
  test("[run --network] none: loopback and nothing else", async () => {
    expect(await sh("ls /sys/class/net; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo up", "--network", "none")).toBe("lo\nup");
    expect(await sh("grep -c localhost /etc/hosts")).not.toBe("0");
  });

  test("[run --network] host: the machine's", async () => {
    const host = (await import("node:fs")).readdirSync("/sys/class/net").sort().join("\n");
    expect(await sh("ls /sys/class/net", "--network", "host")).toBe(host);
    expect(await sh("hostname", "--network", "host")).toBe(hostname());
  });

  test("[run --network] others are refused", async () => {
    expect(await run("--network", "bridge", "busybox", "true")).toMatchObject({ code: 125, stderr: expect.stringContaining("bridge") });
    expect(await run("--network", "my-net", "busybox", "true")).toMatchObject({ code: 125, stderr: expect.stringContaining("my-net") });
  });
});
