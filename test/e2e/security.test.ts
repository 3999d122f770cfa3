import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { allCapabilities, capabilityMask, defaultCapabilities } from "@ramekin/oci";
import { describe, expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

const run = (flags: readonly string[], script: string) => here().ramekin(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);

/** A field of the container's own /proc/self/status. */
async function status(name: string, ...flags: string[]): Promise<string> {
  const { stdout, stderr } = await run(flags, "cat /proc/self/status");
  const value = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(stdout)?.[1];
  if (value === undefined) throw new Error(`no ${name}: ${stderr}`);
  return value;
}
const mask = (names: readonly string[]) => capabilityMask(names).toString(16).padStart(16, "0");
const without = (...names: string[]) => defaultCapabilities.filter((name) => !names.includes(name));

/** What can be given: nobody passes on what he has not. */
async function own(): Promise<bigint> {
  return BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1]}`);
}

describe("[ISO-7] capabilities", () => {
  test.each([
    ["[run --cap-add] [create --cap-add]", ["--cap-add", "net_admin"], [...defaultCapabilities, "CAP_NET_ADMIN"]],
    ["[run --cap-drop] [create --cap-drop]", ["--cap-drop", "CAP_CHOWN", "--cap-drop", "mknod"], without("CAP_CHOWN", "CAP_MKNOD")],
    ["all but one", ["--cap-drop", "ALL", "--cap-add", "CHOWN"], ["CAP_CHOWN"]],
  ])("%s", async (_, flags, wanted) => {
    expect(await status("CapEff", ...flags)).toBe(mask(wanted));
    expect(await status("CapBnd", ...flags, "--user", "cook")).toBe(mask(wanted));
  });

  test("ALL is all that we have ourselves", async () => {
    const all = (capabilityMask(allCapabilities) & (await own())).toString(16).padStart(16, "0");
    expect(await status("CapEff", "--cap-add", "ALL")).toBe(all);
  });

  test("one that we have not is refused, and an unknown one", async ({ skip }) => {
    expect((await run(["--cap-add", "FLY"], "true")).stderr).toContain("unknown capability FLY");
    const missing = allCapabilities.find((name) => ((capabilityMask([name]) & own0) === 0n) === true);
    if (missing === undefined) return skip("this root has every capability");
    const { code, stderr } = await run(["--cap-add", missing], "true");
    expect([code, stderr]).toEqual([125, expect.stringContaining(`cannot give ${missing}`)]);
  });
});
const own0 = process.getuid?.() === 0 ? await own() : 0n;

test("[run --security-opt] [create --security-opt] no-new-privileges", async () => {
  expect(await status("NoNewPrivs")).toBe("0");
  expect(await status("NoNewPrivs", "--security-opt", "no-new-privileges")).toBe("1");
  expect(await status("NoNewPrivs", "--security-opt", "no-new-privileges=false")).toBe("0");
  // the filter is loaded at another moment then
  expect(await status("Seccomp", "--security-opt", "no-new-privileges")).toBe("2");
});

test("[run --security-opt] [ISO-6] seccomp: unconfined, builtin, a profile of one's own", async () => {
  expect(await status("Seccomp", "--security-opt", "seccomp=unconfined")).toBe("0");
  expect(await status("Seccomp", "--security-opt", "seccomp=builtin")).toBe("2");
  const profile = join(here().folder, "profile.json");
  const syscalls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 30 }];
  await writeFile(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
  const { stderr, stdout } = await run(["--security-opt", `seccomp=${profile}`], "mkdir /x; unshare -U true && echo unshared");
  expect(stderr).toContain("Read-only file system");
  expect(stdout).toBe("unshared\n");
});

test("[run --security-opt] [ISO-10] hidden and read-only paths", async () => {
  const look = "head -c 1 /proc/kcore >/dev/null 2>&1; ls /sys/firmware | wc -l; mount | grep -c ' on /proc/'";
  const count = async (...flags: string[]) => (await run(flags, look)).stdout.trim().split("\n").map(Number);
  const [firmware, mounts = 0] = await count();
  expect([firmware, mounts > 4]).toEqual([0, true]);
  const [shown = 0, none] = await count("--security-opt", "systempaths=unconfined");
  expect([shown > 0, none]).toEqual([true, 0]);
  const [still, fewer = 0] = await count("--security-opt", "unmask=/proc/sys:/proc/keys");
  expect([still, fewer]).toEqual([0, mounts - 2]);
  expect((await run(["--security-opt", "mask=/etc:/bin/true"], "ls /etc; cat /bin/true")).stdout).toBe("");
});

test("[run --security-opt] writable-cgroups, and what there is no kernel for", async () => {
  const group = existsSync("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids/below" : "/sys/fs/cgroup/below";
  const script = `mkdir ${group} && rmdir ${group} && echo made`;
  expect((await run([], script)).stdout).toBe("");
  expect((await run(["--security-opt", "writable-cgroups=true"], script)).stdout).toBe("made\n");
  expect((await run(["--security-opt", "label=disable", "--security-opt", "apparmor=unconfined"], "echo ran")).stdout).toBe("ran\n");
  const { code, stderr } = await run(
    ["--security-opt", "label=type:x", "--security-opt", "seccomp=/nowhere", "--security-opt", "odd"],
    ":",
  );
  expect(code).toBe(125);
  expect(stderr.match(/^ {2}- /gm)).toHaveLength(3);
  if (existsSync("/sys/module/apparmor")) return;
  expect((await run(["--security-opt", "apparmor=mine"], ":")).stderr).toContain("this kernel has no AppArmor");
});

test("[run --privileged] [create --privileged] all that we have ourselves", async () => {
  const script =
    "cat /proc/self/status; ls /sys/firmware | wc -l; mount | grep ' on /sys type'; ls -l /dev | grep -c '^[bc]'; echo 1 > /proc/sys/net/ipv4/ip_forward && echo forwards";
  const { stdout } = await run(["--privileged"], script);
  expect(stdout).toContain(`CapEff:\t${(capabilityMask(allCapabilities) & (await own())).toString(16).padStart(16, "0")}`);
  expect(stdout).toContain("Seccomp:\t0");
  expect(stdout).toMatch(/sysfs \(rw/);
  expect(stdout).toContain("forwards");
  const { stdout: usual } = await run([], "ls -l /dev | grep -c '^[bc]'");
  expect(Number(/^(\d+)\nforwards/m.exec(stdout)?.[1])).toBeGreaterThan(Number(usual));
  await here().output([
    "create",
    "--name",
    "mighty",
    "--privileged",
    "--cap-drop",
    "CHOWN",
    "--security-opt",
    "no-new-privileges",
    "busybox",
  ]);
  const { HostConfig } = await here().inspect<{ HostConfig: object }>("mighty");
  expect(HostConfig).toMatchObject({ Privileged: true, CapDrop: ["CAP_CHOWN"], SecurityOpt: ["no-new-privileges"] });
});
