import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);

interface Explained {
  readonly Spec: { readonly process: { readonly args: string[]; readonly capabilities: { readonly bounding: string[] } } };
  readonly Sources: Readonly<Record<string, string>>;
  readonly Removed: readonly string[];
  readonly Drivers: Readonly<Record<string, string>>;
}
const explained = async (...args: string[]) => JSON.parse(await output("explain", "--format", "json", ...args)) as Explained;

test("[OBS-5] [explain --format] each part says whether it comes from a flag, the image or the defaults; nothing is made", async () => {
  const source = join(here().folder, "not-there");
  await output("run", "--rm", "busybox", "true"); // the drivers have been chosen, and what they found out is noted
  const before = await here().traces();
  const flags = [
    "--memory",
    "64m",
    "--cap-drop",
    "NET_RAW",
    "--env",
    "COLOR=blue",
    "--workdir",
    "/tmp",
    "-v",
    `${source}:/data:ro`,
    "-v",
    "fresh:/fresh",
  ];
  const { Spec, Sources, Removed, Drivers } = await explained("run", "--rm", ...flags, "busybox", "echo", "hi");
  expect(await here().traces()).toEqual(before);
  expect(existsSync(source)).toBe(false);
  expect(Spec.process.args).toEqual(["echo", "hi"]);
  expect(Drivers).toMatchObject({ network: "none" });
  expect(Sources).toMatchObject({
    "process.args": expect.stringContaining("command"),
    "process.env[COLOR]": "--env",
    "process.cwd": "--workdir",
    "linux.resources.memory.limit": "--memory",
    "mounts[/data]": "--volume",
    "mounts[/fresh]": "--volume",
    "mounts[/proc]": "default",
    "process.capabilities.bounding[CAP_NET_RAW]": "--cap-drop",
    "process.capabilities.bounding[CAP_CHOWN]": "default",
    "linux.namespaces[pid]": "default",
  });
  expect(Removed).toContain("process.capabilities.bounding[CAP_NET_RAW]");
  expect(Spec.process.capabilities.bounding).not.toContain("CAP_NET_RAW");
});

test("[OBS-5] what the image says is said to be the image's", async () => {
  await output("run", "--name", "made", "busybox", "true");
  await output("commit", "--change", "WORKDIR /srv", "--change", "ENV FROM=image", "made", "derived");
  const { Sources } = await explained("create", "derived");
  expect(Sources).toMatchObject({ "process.cwd": "image", "process.env[FROM]": "image" });
  expect((await explained("run", "--workdir", "/", "derived")).Sources["process.cwd"]).toContain("--workdir");
  await output("rm", "made");
});

test("[OBS-5] what is explained is what a container gets", async () => {
  const flags = ["--memory", "64m", "--env", "COLOR=blue", "--read-only", "--hostname", "me"];
  const { Spec } = await explained("create", ...flags, "busybox", "true");
  const id = await output("create", ...flags, "busybox", "true");
  const text = await readFile(join(here().root, "containers", id, "bundle", "config.json"), "utf8");
  expect(Spec).toEqual(JSON.parse(text.replaceAll(id, "0".repeat(64))));
  await output("rm", id);
});

test("[explain --all] the table shows what is not as it is by default, or everything", async () => {
  const few = await output("explain", "run", "--memory", "64m", "busybox", "true");
  expect(few).toMatch(/^linux\.resources\.memory\.limit +--memory +67108864$/m);
  expect(few).not.toContain("mounts[/proc]");
  expect(few).toMatch(/\d+ more parts are as they are by default/);
  expect(await output("explain", "--all", "run", "busybox", "true")).toMatch(/^mounts\[\/proc\] +default +/m);
});

test("[OBS-5] an image that is not here is not pulled; bad flags are told as run tells them", async () => {
  expect(await here().ramekin(["explain", "run", "nothing/here"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no such image"),
  });
  expect(await here().ramekin(["explain", "run", "--memory", "lots", "busybox"])).toMatchObject({ code: expect.any(Number), stdout: "" });
  expect((await here().ramekin(["explain", "stop", "x"])).stderr).toContain("explain knows run and create");
  expect(await output("ps", "-aq")).toBe("");
});
