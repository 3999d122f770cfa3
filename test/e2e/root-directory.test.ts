import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, busyboxTar, command, eventually, noKitchen, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);

describe("a directory in the place of an image", () => {
  let tree = "";
  beforeAll(async () => {
    if (noKitchen !== undefined) return;
    tree = join(here().folder, "tree");
    await mkdir(tree);
    const tar = join(here().folder, "tree.tar");
    await writeFile(tar, await busyboxTar());
    await succeed(["tar", "-C", tree, "-xf", tar]);
  });

  test("[run --rootfs] its files are the directory's, for good, and nothing of it is the store's", async () => {
    await output("run", "--rm", "--rootfs", tree, "sh", "-c", "echo pie > /menu; rm /etc/plain; id -u > /who");
    expect(await readFile(join(tree, "menu"), "utf8")).toBe("pie\n");
    expect(await readFile(join(tree, "who"), "utf8")).toBe("0\n");
    expect(await readdir(join(tree, "etc"))).not.toContain("plain");
    // as the kernel has it: the root that the process sees is that directory
    await output("run", "-d", "--name", "direct", "--user", "cook", "--rootfs", tree, "sleep", "1000");
    const { State } = await here().inspect("direct");
    const [seen, meant] = [await stat(`/proc/${State.Pid}/root/menu`), await stat(join(tree, "menu"))];
    expect([seen.dev, seen.ino]).toEqual([meant.dev, meant.ino]);
    expect(await output("exec", "direct", "id", "-u")).toBe("1000");
    expect(await output("ps", "--format", "{{.Names}} {{.Image}}")).toBe(`direct ${tree}`);
    expect(await output("system", "fsck")).not.toContain("direct");
    await output("system", "prune", "--force"); // what stands for its image is in use
    await output("restart", "-t", "0", "direct");
    expect(await output("exec", "direct", "cat", "/menu")).toBe("pie");
    await output("cp", "direct:/menu", join(here().folder, "copied"));
    for (const [verb, said] of [
      ["fork", "cannot be forked"],
      ["reset", "cannot be reset"],
    ] as const)
      expect(await ramekin(verb, "direct")).toMatchObject({ code: 1, stderr: expect.stringContaining(said) });
    await output("commit", "direct", "of-a-directory");
    await output("rm", "-f", "direct");
    expect(await output("run", "--rm", "of-a-directory", "cat", "/menu")).toBe("pie");
    await output("rmi", "of-a-directory");
  });

  test("[create --rootfs] DIRECTORY:O: what it writes stays with the container", async () => {
    await writeFile(join(tree, "menu"), "soup\n");
    await output("create", "--name", "above", "--rootfs", `${tree}:O`, "sh", "-c", "echo roast >> /menu; cat /menu");
    expect(await output("start", "--attach", "above")).toBe("soup\nroast");
    expect(await output("start", "--attach", "above")).toBe("soup\nroast\nroast");
    expect(await readFile(join(tree, "menu"), "utf8")).toBe("soup\n");
    await output("reset", "above");
    expect(await output("start", "--attach", "above")).toBe("soup\nroast");
    await output("rm", "above");
  });

  test("[run --rootfs] its owners are the container's own with :idmap, and refused without", async () => {
    const { stderr } = await ramekin("run", "--rm", "--userns", "auto", "--rootfs", tree, "true");
    expect(stderr).toContain(`--rootfs ${tree}:idmap shows them as the container's own`);
    const script = "stat -c %u /menu; touch /mapped; grep -c ' 4294967295$' /proc/self/uid_map";
    expect((await ramekin("run", "--rm", "--userns", "auto", "--rootfs", `${tree}:idmap`, "sh", "-c", script)).stdout).toBe("0\n0\n");
    expect((await stat(join(tree, "mapped"))).uid).toBe(0);
  });

  test("what is no such directory is refused and leaves nothing", async () => {
    const before = await here().traces();
    for (const [where, said] of [
      [join(tree, "nowhere"), "no such root directory"],
      [join(tree, "menu"), "is no directory"],
      [`${tree}:X`, "no root directory"],
    ] as const)
      expect(await ramekin("run", "--rm", "--rootfs", where, "true")).toMatchObject({ code: 125, stderr: expect.stringContaining(said) });
    expect((await ramekin("run", "--rm", "--rootfs", tree)).stderr).toContain("no command");
    expect((await ramekin("run", "--rmi", "--rootfs", tree, "true")).stderr).toContain("conflicting options: --rmi and --rootfs");
    expect(await here().traces()).toEqual(before);
  });
});

describe("[run --preserve-fds]", () => {
  const shell = (script: string, ...args: string[]) =>
    command(["sh", "-c", script, "sh", ...here().command, "run", ...args], { env: here().env, cwd: here().folder });

  test("descriptors from 3 on are the program's, and no more than were asked for", async () => {
    const look = "cat <&3; echo out >&4; ls /proc/self/fd | tr '\\n' ' '";
    await writeFile(join(here().folder, "in"), "handed over\n");
    const { stdout } = await shell('"$@" 3<in 4>out 5<in', "--rm", "--preserve-fds", "2", "busybox", "sh", "-c", look);
    // the fifth is the list's own
    expect(stdout).toBe("handed over\n0 1 2 3 4 5 ");
    expect(await readFile(join(here().folder, "out"), "utf8")).toBe("out\n");
  });

  test("a pipe ends when the program has closed it, though its supervisor lives on", async () => {
    const args = ["-d", "--name", "piped", "--preserve-fds", "1", "busybox", "sh", "-c", "echo first >&3; exec 3>&-; exec sleep 1000"];
    const { stdout } = await shell('mkfifo p; cat p & "$@" 3>p >id; wait', ...args);
    expect(stdout).toBe("first\n");
    await output("rm", "-f", "piped");
  });

  test("with a restart policy each run has them", async () => {
    const script = "echo run >&3; exit 1";
    const args = ["-d", "--name", "again", "--restart", "on-failure:2", "--preserve-fds", "1", "busybox", "sh", "-c", script];
    expect((await shell('"$@" 3>>runs', ...args)).code).toBe(0);
    await eventually(async () => expect(await readFile(join(here().folder, "runs"), "utf8")).toBe("run\nrun\nrun\n"));
    await output("rm", "-f", "again");
  });

  test("one that is not open is named, and nothing is made", async () => {
    expect(await shell('"$@" 3</etc/hostname', "--rm", "--preserve-fds", "2", "busybox", "true")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("file descriptor 4 is not open"),
    });
    expect((await ramekin("create", "--preserve-fds", "1", "busybox")).stderr).toContain("ramekin run has --preserve-fds");
    expect(await output("ps", "-aq")).toBe("");
  });
});
