import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, missing, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

const sh = (flags: readonly string[], script: string) => here().output(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);

test("[run --user] [run --group-add] [create --group-add] [CTR-2] users and groups by name and number", async () => {
  const ids = "id -u; id -g; grep Groups /proc/self/status";
  expect(await sh(["-u", "cook", "--group-add", "daemon", "--group-add", "4242"], ids)).toBe("1000\n1001\nGroups:\t1 1001 1002 4242 ");
  expect(await sh(["-u", "7:8", "--group-add", "bakers"], ids)).toBe("7\n8\nGroups:\t8 1002 ");
  expect((await here().ramekin(["run", "--rm", "-u", "stranger", "busybox", "true"])).stderr).toContain("stranger");
  expect((await here().ramekin(["run", "--rm", "--group-add", "strangers", "busybox", "true"])).stderr).toContain("strangers");
});

describe("one container with a world of its own", () => {
  let said: readonly string[] = [];
  beforeAll(async () => {
    await writeFile(join(here().folder, "labels"), "# of the file\nfrom=file\nboth=file\n");
    // biome-ignore format: one flag and its value after the other
    await here().output(["run", "-d", "--name", "world", "-h", "oven", "--domainname", "example.org", "--umask", "0027", "--add-host",
      "salt:10.1.2.3", "--add-host", "sea=[fd00::1]", "--dns", "9.9.9.9", "--dns-search", "kitchen.test", "--dns-option", "ndots:3",
      "--annotation", "dish=souffle", "--expose", "80", "--expose", "53/udp", "--label-file", join(here().folder, "labels"), "-l", "both=flag",
      "--unsetenv", "DISH", "--pidfile", join(here().folder, "pid"), "--group-add", "bakers", "busybox", "sleep", "1000"]);
    const script = "touch /new; stat -c %a /new; cat /proc/sys/kernel/domainname; cat /etc/resolv.conf; cat /etc/hosts; env; id -G";
    said = (await here().output(["exec", "world", "sh", "-c", script])).split("\n");
    return () => here().output(["rm", "-f", "world"]);
  });

  test("[run --umask] [create --umask] files are made without those bits", () => expect(said[0]).toBe("640"));
  test("[run --domainname] [create --domainname] the kernel's name of the domain", () => expect(said[1]).toBe("example.org"));
  test("[run --dns] [run --dns-search] [run --dns-option] [create --dns] [create --dns-search] [create --dns-option] resolv.conf", () =>
    expect(said.slice(2, 5)).toEqual(["nameserver 9.9.9.9", "search kitchen.test", "options ndots:3"]));
  test("[run --add-host] [create --add-host] hosts", () => {
    expect(said).toContain("10.1.2.3\tsalt");
    expect(said).toContain("fd00::1\tsea");
    expect(said).toContain("127.0.1.1\toven.example.org oven");
  });
  test("[run --unsetenv] [create --unsetenv] a variable of the image is gone", () => {
    expect(said.some((line) => line.startsWith("DISH="))).toBe(false);
    expect(said).toContain("HOSTNAME=oven");
  });
  test("[run --group-add] goes for exec, too", () => expect(said.at(-1)).toBe("0 1002"));
  test("[run --pidfile] [create --pidfile] the first process's", async () => {
    const { State } = await here().inspect("world");
    expect(await readFile(join(here().folder, "pid"), "utf8")).toBe(String(State.Pid));
  });
  test("[run --annotation] [run --expose] [run --label-file] [create --annotation] [create --expose] [create --label-file] are told", async () => {
    const { Config, HostConfig, Bundle } = await here().inspect<{ Config: object; HostConfig: object; Bundle: string }>("world");
    expect(Config).toMatchObject({
      Labels: { from: "file", both: "flag" },
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Domainname: "example.org",
    });
    expect(HostConfig).toMatchObject({ Annotations: { dish: "souffle" }, Dns: ["9.9.9.9"], GroupAdd: ["bakers"] });
    expect(JSON.parse(await readFile(join(Bundle, "config.json"), "utf8")).annotations).toMatchObject({ dish: "souffle" });
  });
});

test("[run --env-host] [create --env-host] [run --unsetenv-all] [create --unsetenv-all] variables", async () => {
  const { stdout } = await here().ramekin(["run", "--rm", "--env-host", "-e", "MINE=flag", "busybox", "env"], {
    env: { MINE: "host", OURS: "x" },
  });
  expect(stdout).toContain("MINE=flag\n");
  expect(stdout).toContain("OURS=x\n");
  const bare = (await here().output(["run", "--rm", "--unsetenv-all", "-e", "A=1", "busybox", "env"])).split("\n");
  expect(bare.map((line) => line.split("=")[0]).sort()).toEqual(["A", "HOME", "PATH"]);
});

test("[run --no-hosts] [create --no-hosts] the image's file, or none", async () => {
  expect(await sh(["--no-hosts"], "test -e /etc/hosts || echo none; mount | grep -c resolv.conf")).toBe("none\n1");
  const { stderr } = await here().ramekin(["run", "--rm", "--no-hosts", "--add-host", "a:1.1.1.1", "busybox", "true"]);
  expect(stderr).toContain("conflicting options: --no-hosts and --add-host");
});

test("[run --tz] [create --tz] the zone's file is the local one", async ({ skip }) => {
  if (!existsSync("/usr/share/zoneinfo/Asia/Tokyo")) skip("no zone database on this machine");
  expect(await sh(["--tz", "Asia/Tokyo"], "date +%Z%z")).toBe("JST+0900");
  const { code, stderr } = await here().ramekin(["run", "--rm", "--tz", "Moon/Base", "busybox", "true"]);
  expect([code, stderr]).toEqual([125, expect.stringContaining("time zone Moon/Base is not on this machine")]);
});

test("[run --runtime] [create --runtime] [ISO-14] another program makes the container", async ({ skip }) => {
  const { stderr, code } = await here().ramekin(["run", "--rm", "--runtime", "no-such-runtime", "busybox", "true"]);
  expect([code, stderr]).toEqual([125, expect.stringContaining("unknown or invalid runtime: no-such-runtime")]);
  const reason = missing("runc");
  if (reason !== undefined) return skip(reason);
  const wrapper = join(here().folder, "my-runtime");
  await writeFile(wrapper, `#!/bin/sh\necho "$@" >> ${here().folder}/calls\nexec runc "$@"\n`, { mode: 0o755 });
  expect(await sh(["--runtime", wrapper], "echo made")).toBe("made");
  expect(await readFile(join(here().folder, "calls"), "utf8")).toMatch(/create .*--bundle/);
  expect(await sh(["--runtime", "runc"], "echo by name")).toBe("by name");
});

test("[run --replace] [create --replace] takes the place of what has the name", async () => {
  const first = await here().output(["create", "--name", "post", "busybox"]);
  const second = await here().output(["create", "--replace", "--name", "post", "busybox"]);
  expect((await here().inspect("post")).Id).toBe(second);
  expect(await here().output(["ps", "-aq", "--no-trunc"])).not.toContain(first);
  await here().output(["run", "--rm", "--replace", "--name", "post", "busybox", "true"]);
  expect((await here().ramekin(["run", "--replace", "busybox", "true"])).code).toBe(125);
});

test("[run --rmi] the image goes with the container, unless somebody else uses it", async () => {
  await here().output(["tag", "busybox", "short-lived"]);
  await here().output(["run", "--rmi", "short-lived", "true"]);
  expect(await here().output(["images", "-q", "short-lived"])).toBe("");
  expect((await here().ramekin(["run", "-d", "--rmi", "busybox", "true"])).stderr).toContain("conflicting options: --rmi and --detach");
});

// biome-ignore format: one a line is too many
test.each([
  ["--ip", "10.0.0.9"], ["--ip6", "fd00::9"], ["--link", "x"], ["--link-local-ip", "169.254.0.9"], ["--mac-address", "02:00:00:00:00:01"],
  ["--network-alias", "x"], ["--publish", "80:80"], ["--publish-all"], ["--use-api-socket"], ["--hostuser", "x"],
  ["--cpu-count", "1"], ["--cpu-percent", "1"], ["--io-maxbandwidth", "1"], ["--io-maxiops", "1"], ["--isolation", "x"],
])("[run %s] is refused with the reason", async (...flag) => {
  const { code, stderr } = await here().ramekin(["run", ...flag, "busybox", "true"]);
  expect(code).toBe(125);
  expect(stderr).toMatch(/--[a-z0-9-]+: .{20}/);
});
