import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cdiKinds, isCdiName, planCdi } from "../src/cdi.ts";

let folder = "";
let directories: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ramekin-cdi-"));
  directories = [join(folder, "etc"), join(folder, "run")];
  for (const directory of directories) await mkdir(directory);
  const device = (name: string, env: string) => ({ name, containerEdits: { env: [env] } });
  const spec = (kind: string, devices: object[], more: object = {}) => JSON.stringify({ cdiVersion: "0.6.0", kind, devices, ...more });
  await writeFile(join(folder, "etc/a.json"), spec("vendor.com/gpu", [device("0", "GPU=etc")], { containerEdits: { env: ["ALL=1"] } }));
  await writeFile(join(folder, "run/a.json"), spec("vendor.com/gpu", [device("0", "GPU=run")]));
  await writeFile(join(folder, "etc/b.json"), spec("vendor.com/net", [device("x", "N=b")]));
  await writeFile(join(folder, "etc/c.json"), spec("vendor.com/net", [device("x", "N=c")]));
  await writeFile(join(folder, "etc/broken.yaml"), "kind: [\n");
  const yaml = `cdiVersion: "0.6.0"
kind: other.org/gpu
containerEdits:
  env: [COMMON=yes]
  hooks:
    - hookName: createContainer
      path: /usr/bin/hook
      args: [hook, --all]
devices:
  - name: all
    containerEdits:
      additionalGids: [44, 44]
      deviceNodes:
        - path: /dev/made
          type: c
          major: 1
          minor: 3
          permissions: r
        - path: /dev/copied
          hostPath: /dev/null
      mounts:
        - hostPath: /opt/lib
          containerPath: /lib/vendor
          options: [ro, nosuid]
  - name: second
    containerEdits: {}
`;
  await writeFile(join(folder, "etc/other.yaml"), yaml);
});
afterAll(() => rm(folder, { recursive: true }));

test("[ISO-12] names are qualified", () => {
  expect(["vendor.com/gpu=0", "a/b=c:d.e"].map(isCdiName)).toEqual([true, true]);
  expect(["/dev/sda", "gpu=0", "vendor.com/gpu", "/a=b"].some(isCdiName)).toBe(false);
});

test("[ISO-12] nodes, mounts, hooks, variables and groups of a YAML file; what goes for all goes once", async () => {
  const edits = await planCdi(["other.org/gpu=all", "other.org/gpu=second", "other.org/gpu=all"], directories);
  expect(edits).toEqual({
    env: ["COMMON=yes"],
    devices: [
      { type: "c", path: "/dev/made", major: 1, minor: 3, source: "/dev/made", access: "r" },
      {
        type: "c",
        path: "/dev/copied",
        major: 1,
        minor: 3,
        fileMode: 0o666,
        uid: 0,
        gid: expect.any(Number),
        source: "/dev/null",
        access: "rwm",
      },
    ],
    mounts: [{ destination: "/lib/vendor", type: "bind", source: "/opt/lib", options: ["rbind", "ro", "nosuid"] }],
    hooks: [{ name: "createContainer", path: "/usr/bin/hook", args: ["hook", "--all"] }],
    groups: [44],
  });
});

test("the later directory wins over the earlier; two files of one directory are a conflict", async () => {
  expect((await planCdi(["vendor.com/gpu=0"], directories)).env).toEqual(["GPU=run"]);
  await expect(planCdi(["vendor.com/net=x"], directories)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});

test("all that no file has is named, and a directory need not be there", async () => {
  await expect(planCdi(["vendor.com/gpu=0", "vendor.com/gpu=7", "no.one/x=y"], [...directories, "/nowhere"])).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: "unresolvable CDI devices vendor.com/gpu=7, no.one/x=y",
  });
  expect(await cdiKinds("gpu", directories)).toEqual(["other.org/gpu", "vendor.com/gpu"]);
});
