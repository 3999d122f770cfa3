import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, needs, useKitchen } from "../support/index.ts";

needs(process.getuid?.() === 0 ? undefined : "not root: vendors' files are root's");
const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

const directory = "/var/run/cdi";
const kind = `ramekin-test-${process.pid}.example/gpu`;

/** A file as a vendor's tool writes it, where every engine looks for it. */
beforeAll(async () => {
  if (process.getuid?.() !== 0) return undefined;
  await mkdir(directory, { recursive: true });
  const path = join(directory, `ramekin-test-${process.pid}.yaml`);
  await writeFile(
    path,
    `cdiVersion: "0.6.0"
kind: ${kind}
containerEdits:
  env: [VENDOR=here, DISH=replaced]
devices:
  - name: "0"
    containerEdits: { deviceNodes: [{ path: /dev/gpu0, hostPath: /dev/zero }], additionalGids: [4711] }
  - name: all
    containerEdits:
      deviceNodes: [{ path: /dev/gpu0, hostPath: /dev/zero }, { path: /dev/gpu1, type: c, major: 1, minor: 7 }]
      mounts: [{ hostPath: /etc/hostname, containerPath: /usr/lib/vendor, options: [ro] }]
      hooks: [{ hookName: createRuntime, path: /bin/sh, args: [sh, -c, "echo hooked > ${here().folder}/hooked"] }]
`,
  );
  return () => rm(path);
});

const look = "echo $VENDOR $DISH; grep Groups /proc/self/status; ls /dev | grep gpu; head -c 2 /dev/gpu0 | wc -c; cat /usr/lib/vendor";

test("[run --device] [ISO-12] a CDI device by name", async () => {
  const { stdout } = await here().ramekin(["run", "--rm", "--device", `${kind}=0`, "busybox", "sh", "-c", look]);
  expect(stdout).toBe("here replaced\nGroups:\t0 4711 \ngpu0\n2\n");
});

test("inspect tells of them as of requests", async () => {
  await here().output(["create", "--name", "asking", "--device", `${kind}=0`, "--device", "/dev/null", "--gpus", "all", "busybox"]);
  const { HostConfig } = await here().inspect<{ HostConfig: { DeviceRequests: object[]; Devices: object[] } }>("asking");
  expect(HostConfig.DeviceRequests).toMatchObject([
    { Driver: "cdi", DeviceIDs: [`${kind}=0`] },
    { Count: -1, Capabilities: [["gpu"]] },
  ]);
  expect(HostConfig.Devices).toEqual([{ PathOnHost: "/dev/null", PathInContainer: "/dev/null", CgroupPermissions: "rwm" }]);
});

test("[run --gpus] [create --gpus] all of them; some; none that are there", async () => {
  const { stdout } = await here().ramekin(["run", "--rm", "--gpus", "all", "busybox", "sh", "-c", look]);
  expect(await readFile(join(here().folder, "hooked"), "utf8")).toBe("hooked\n");
  expect(stdout).toContain("here replaced");
  expect(stdout).toContain("gpu0\ngpu1\n2\n");
  const one = await here().ramekin(["run", "--rm", "--gpus", "1", "busybox", "sh", "-c", look]);
  expect(one.stdout).toContain("gpu0\n2\n");
  const absent = await here().ramekin(["run", "--rm", "--gpus", '"device=0,9"', "busybox", "true"]);
  expect([absent.code, absent.stderr]).toEqual([125, expect.stringContaining(`unresolvable CDI devices ${kind}=9`)]);
  const odd = await here().ramekin(["run", "--rm", "--gpus", "driver=x", "--device", "no.such/thing=1", "busybox", "true"]);
  expect([odd.code, odd.stderr]).toEqual([125, expect.stringContaining("no request for graphics processors: driver=x")]);
});
