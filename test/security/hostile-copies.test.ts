import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, noKitchen, succeed, tar, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
const up = "../".repeat(30);
let canary: string;

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  canary = join(here().folder, "canary");
  await mkdir(canary);
  await writeFile(join(canary, "secret"), "the host's\n");
  await writeFile(join(here().folder, "own"), "mine\n");
});

const untouched = async () => {
  expect(await readdir(canary)).toEqual(["secret"]);
  expect(await readFile(join(canary, "secret"), "utf8")).toBe("the host's\n");
};

/** Both ways of seeing a container's files. */
const lives = [["running"], ["stopped"]] as const;

async function hostile(life: string, script: string): Promise<string> {
  const name = `${life}-${Math.random().toString(36).slice(2)}`;
  await output("run", "-d", "--name", name, "busybox", "sh", "-c", `${script}\necho ready; exec sleep 1000`);
  for (;;) if ((await output("logs", name)).includes("ready")) break;
  if (life === "stopped") await output("stop", "-t", "0", name);
  return name;
}

test.each(lives)("[CVE-2018-15664] [CVE-2019-14271] links to the host's paths lead to the container's, in one that is %s", async (life) => {
  const links = [
    `ln -s ${canary} /absolute`,
    `ln -s ${up}${canary.slice(1)} /relative`,
    "ln -s / /root/root",
    `mkdir -p /d; ln -s ${canary} /d/inner`,
  ];
  const name = await hostile(life, links.join("\n"));
  const into = join(here().folder, `into-${name}`);
  await mkdir(into);
  for (const path of [
    "/absolute/secret",
    "/relative/secret",
    `/root/root${canary}/secret`,
    "/d/inner/secret",
    `/${up}${canary.slice(1)}/secret`,
  ]) {
    for (const flags of [[], ["-L"]]) {
      const { code, stderr } = await here().ramekin(["cp", ...flags, `${name}:${path}`, into]);
      expect([path, code, stderr]).toEqual([path, 1, expect.not.stringContaining("the host")]);
    }
    await here().ramekin(["cp", join(here().folder, "own"), `${name}:${path}`]);
    await here().ramekin(["cp", join(here().folder, "own"), `${name}:${path.replace(/\/secret$/, "/planted")}`]);
    await here().ramekin(["cp", "-", `${name}:${path.replace(/\/secret$/, "")}`], { input: tar([{ path: "planted", content: "x" }]) });
    await untouched();
  }
  // A whole tree comes with its links as links.
  await output("cp", `${name}:/d`, into);
  expect(await readdir(join(into, "d"))).toEqual(["inner"]);
  await untouched();
  await output("rm", "-f", name);
});

test("[CVE-2018-15664] a container that swaps directories and links while it is copied from and to reaches nothing of the host", async () => {
  const swap = `
    mkdir -p /a/x /b; echo inside > /a/x/secret
    ln -s ${canary.slice(0, canary.lastIndexOf("/"))} /b/x
    mv /b/x /tmp/l; ln -s ${canary} /tmp/m
    (while :; do mv /a/x /a/y; ln -s ${canary} /a/x; rm /a/x; mv /a/y /a/x; done) 2>/dev/null &`;
  const name = await hostile("running", swap);
  const into = join(here().folder, "swapped");
  await mkdir(into);
  for (let round = 0; round < 6; round++) {
    await here().ramekin(["cp", `${name}:/a/x/secret`, join(into, `file-${round}`)]);
    await here().ramekin(["cp", "-L", `${name}:/a/x`, join(into, `tree-${round}`)]);
    await here().ramekin(["cp", join(here().folder, "own"), `${name}:/a/x/planted`]);
    await here().ramekin(["cp", `${name}:/a`, join(into, `all-${round}`)]);
    await untouched();
  }
  const { stdout } = await succeed(["sh", "-c", 'grep -rl "the host" . || true'], { cwd: into });
  expect(stdout).toBe("");
  await output("rm", "-f", name);
}, 120_000);

test.each(lives)("archives whose names lead out change nothing outside, in one that is %s", async (life) => {
  const name = await hostile(life, "mkdir /in");
  const attacks = [
    [{ path: `${up}${canary.slice(1)}/evil`, content: "x" }],
    [{ path: `${canary}/evil`, content: "x" }],
    [
      { path: "out", type: "symlink" as const, target: canary },
      { path: "out/evil", content: "x" },
    ],
    [
      { path: "hard", type: "link" as const, target: `${up}${canary.slice(1)}/secret` },
      { path: "hard", content: "x" },
    ],
  ];
  for (const entries of attacks) {
    await here().ramekin(["cp", "-", `${name}:/in`], { input: tar(entries) });
    await untouched();
  }
  await output("rm", "-f", name);
});

test("what comes out of a container stays where it was asked for, whatever links are here", async () => {
  const name = await hostile("stopped", `mkdir -p /t; echo evil > /t/secret`);
  const into = join(here().folder, "into-links");
  await mkdir(join(into, "t"), { recursive: true });
  // The user's own link in the way of a file is replaced, as by tar and Docker, and not written through.
  await symlink(join(canary, "secret"), join(into, "t", "secret"));
  await output("cp", `${name}:/t`, into);
  await untouched();
  expect(await readFile(join(into, "t", "secret"), "utf8")).toBe("evil\n");
  await output("rm", name);
});
