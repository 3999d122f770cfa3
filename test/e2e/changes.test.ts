import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, layeredImage, succeed, tar, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(3)] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const status = async (name: string) => (await here().inspect(name)).State.Status;
const sh = (name: string, script: string) => output("exec", name, "sh", "-ec", script);

test("[CTR-8] diff: what was added, changed and deleted, and nothing that only was mounted on", async () => {
  const data = join(here().folder, "data");
  await mkdir(data);
  await output("run", "-d", "--init", "--name", "changed", "-v", `${data}:/made/for/it`, "--tmpfs", "/run", "busybox", "sleep", "1000");
  expect(await output("diff", "changed")).toBe("");
  await sh(
    "changed",
    "echo more >> /etc/plain; rm /etc/group; mkdir /new; echo a > /new/file; echo b > /made/for/it/file; touch /run/x /dev/x",
  );
  const lines = ["C /etc", "D /etc/group", "C /etc/plain", "A /new", "A /new/file"];
  expect((await output("diff", "changed")).split("\n")).toEqual(lines);
  await output("stop", "-t", "0", "changed");
  expect((await output("container", "diff", "changed")).split("\n")).toEqual(lines);
  await output("rm", "changed");
  expect(await ramekin("diff", "changed")).toMatchObject({ code: 1, stderr: expect.stringContaining("no such container: changed") });
});

test("[CTR-8] diff, commit: a directory of the image's that has only got a mount target is the same, but for a change of its own", async () => {
  await output("run", "-d", "--init", "--name", "mode", "-v", "kept:/home/there", "-v", "/var/anonymous", "busybox", "sleep", "1000");
  await sh("mode", "echo in the volume > /home/there/file");
  expect(await output("diff", "mode")).toBe("");
  await output("commit", "mode", "mode:0");
  expect((await configOf("mode:0")).RootFS.Layers).toHaveLength((await configOf("busybox")).RootFS.Layers.length);
  await sh("mode", "chmod 711 /home; touch /new");
  expect(await output("diff", "mode")).toBe("C /home\nA /new");
  await output("commit", "mode", "mode:1");
  expect((await output("image", "diff", "mode:1", "busybox")).split("\n")).toEqual(["C /home", "A /new"]);
  await output("rm", "-f", "-v", "mode");
  await output("rmi", "mode:0", "mode:1");
  await output("volume", "rm", "kept");
});

test("[CTR-8] [export --output] all files as a tar, running or not; a running one does not notice", async () => {
  await output("run", "-d", "--name", "whole", "layers-3", "sleep", "1000");
  await sh("whole", "rm /layers/1; echo new > /layers/new; rm -r /home/cook; mkdir /home/cook; ln /layers/new /layers/hard");
  const file = join(here().folder, "whole.tar");
  expect(await output("export", "--output", file, "whole")).toBe("");
  const { bytes } = await ramekin("export", "whole");
  expect(bytes.equals(await readFile(file))).toBe(true);
  const names = (await succeed(["tar", "-tf", file])).stdout.split("\n");
  expect(names).toEqual(expect.arrayContaining(["layers/2", "layers/new", "layers/hard", "bin/busybox", "home/cook/"]));
  expect(names).not.toContain("layers/1");
  expect(names.filter((name) => name.includes(".wh.") || name.startsWith("proc/") || name.startsWith("dev/")).sort()).toEqual([
    "dev/",
    "proc/",
  ]);
  // The work directory is still the running one's: files from below can be changed.
  await sh("whole", "echo more >> /etc/plain; rm /layers/2");
  await output("stop", "-t", "0", "whole");
  await output("export", "-o", file, "whole");
  expect((await succeed(["tar", "-xOf", file, "etc/plain"])).stdout).toBe("not a program\nmore\n");
  await output("rm", "whole");
  expect((await ramekin("export", "whole")).code).toBe(1);
});

const configOf = async (name: string) => JSON.parse(await output("image", "inspect", name))[0];

test("[IMG-4] [commit --author] [commit --change] [commit --message] [commit --iidfile] [commit --quiet] an image that runs as the container did", async () => {
  await output("run", "-d", "--name", "cook", "-e", "SPICE=mace", "-w", "/tmp", "--label", "course=main", "busybox", "sleep", "1000");
  await sh("cook", "echo stew > /stew");
  const change = ["-c", 'CMD ["cat","/stew"]', "--change", "ENV SALT=some"];
  const id = await output("commit", "--author", "The cook", "--message", "a stew", ...change, "cook", "stew:1");
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await status("cook")).toBe("running");
  expect(await output("run", "--rm", "stew:1")).toBe("stew");
  expect(await output("run", "--rm", id.slice(7, 19), "sh", "-c", "pwd; echo $SPICE $SALT $DISH")).toBe("/tmp\nmace some souffle");
  expect(await configOf("stew:1")).toMatchObject({ Id: id, Author: "The cook", Config: { Labels: { course: "main" } } });
  expect((await output("history", "--format", "{{.CreatedBy}}|{{.Comment}}", "stew:1")).split("\n")[0]).toBe("sleep 1000|a stew");
  expect(await ramekin("commit", "-c", "RUN true", "cook")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("RUN is not a valid change command"),
  });
  expect((await ramekin("commit", "nobody")).code).toBe(1);
  const iidfile = join(here().folder, "iid");
  expect(await output("commit", "--quiet", "--iidfile", iidfile, "cook")).toBe(await readFile(iidfile, "utf8"));
  for (const [flag, said] of [
    ["--squash", "adds one layer"],
    ["--include-volumes", "belongs to no image"],
    ["--format=docker", "images are OCI's"],
  ] as const)
    expect(await ramekin("commit", flag, "cook")).toMatchObject({ code: 125, stderr: expect.stringContaining(said) });
  expect(await ramekin("cp", "--overwrite", "cook:/tmp", ".")).toMatchObject({
    code: 125,
    stderr: expect.stringContaining("never takes the place"),
  });
  await output("rm", "-f", "cook");
  await output("rmi", "stew:1");
});

test("[IMG-4] [commit --pause] what ran runs on, and what was paused stays paused", async () => {
  await output("run", "-d", "--name", "busy", "busybox", "sh", "-c", "while :; do date > /time; sleep 0.1; done");
  const committed = async (...flags: string[]) => {
    expect(await output("commit", ...flags, "busy")).toMatch(/^sha256:/);
    return status("busy");
  };
  expect(await committed("--pause=false")).toBe("running");
  expect(await committed()).toBe("running");
  await output("pause", "busy");
  expect(await committed()).toBe("paused");
  await output("rm", "-f", "busy");
});

test("[IMG-4] a commit loses nothing: whiteouts, replaced directories, attributes, links, owners; saved and loaded", async () => {
  await output("run", "-d", "--name", "much", "layers-3", "sleep", "1000");
  const script = [
    "rm /layers/1; rm -r /home/cook; mkdir -m 710 /home/cook; touch /home/cook/fresh",
    "echo one > /one; ln /one /two; ln -s one /three; mkfifo /pipe; chown 12:34 /one; chmod 4711 /one",
    "touch -d @1000000000 /layers/top",
    "echo plain > /BZh", // a tar that begins with a magic number of bzip2 is no bzip2
  ].join("; ");
  await sh("much", script);
  await output("commit", "much", "much:1");
  // The root's own time is not in a layer that does not change the root; nor is what was only made to be mounted on.
  const listing =
    "tar --full-time --xattrs --xattrs-include='*' -tvvf \"$0\" | tr -s ' ' | grep -vE ' (./|etc/(hosts|hostname|resolv.conf)?)$' | sort";
  const exported = async (name: string, file: string) => {
    const path = join(here().folder, file);
    await output("export", "-o", path, name);
    return (await succeed(["sh", "-ec", listing, path])).stdout.split("\n");
  };
  const before = await exported("much", "before.tar");
  const archive = join(here().folder, "much-image.tar");
  await output("save", "-o", archive, "much:1");
  await output("rm", "-f", "much");
  await output("rmi", "much:1");
  await output("load", "-i", archive);
  await output("create", "--name", "again", "much:1");
  expect(await exported("again", "after.tar")).toEqual(before);
  expect(before).toContainEqual(expect.stringMatching(/^-rws--x--x 12\/34 .* one$/));
  // Nothing has changed since: no layer more than the image has.
  await output("commit", "again", "much:2");
  expect((await configOf("much:2")).RootFS.Layers).toHaveLength((await configOf("much:1")).RootFS.Layers.length);
  await output("rm", "again");
  await output("rmi", "much:1", "much:2");
});

test("[IMG-4] extended attributes and opaque directories are in the layer that a commit makes", async () => {
  const { stdout: path } = await succeed(["which", "busybox"]);
  const file = join(here().folder, "attributes.tar");
  const entries = [
    { path: "bin/busybox", content: await readFile(path.trim()), mode: 0o755 },
    { path: "kept", pax: { "SCHILY.xattr.user.note": "thyme" } },
    { path: "hidden/below", content: "gone" },
  ];
  await writeFile(file, tar(entries));
  await output("import", file, "attributes");
  await output("run", "-d", "--name", "noted", "attributes", "/bin/busybox", "sleep", "1000");
  await output("exec", "noted", "/bin/busybox", "sh", "-ec", "busybox chmod 600 /kept; busybox rm -r /hidden; busybox mkdir /hidden");
  await output("commit", "noted", "noted:1");
  await output("rm", "-f", "noted");
  await output("export-image", "-o", file, "noted:1");
  const listing = (await succeed(["tar", "--xattrs", "--xattrs-include=*", "-tvvf", file])).stdout;
  expect(listing).toMatch(/-rw-------\* .* kept\n\s+x:\s+5 user\.note/);
  expect(listing).toContain(" hidden/\n");
  expect(listing).not.toContain("hidden/below");
  expect((await output("image", "diff", "noted:1", "attributes")).split("\n")).toEqual(
    expect.arrayContaining(["C /kept", "D /hidden/below"]),
  );
  await output("rmi", "noted:1", "attributes");
});

test("[inspect --size] [container inspect --size] what it has written, and with its image; of images nothing but a warning", async () => {
  await output("create", "--name", "large", "busybox", "dd", "if=/dev/zero", "of=/megabyte", "bs=1M", "count=1");
  const sizes = async () => JSON.parse(await output("container", "inspect", "-s", "large"))[0];
  const before = await sizes();
  expect(before.SizeRootFs - before.SizeRw).toBeGreaterThan(500_000);
  await output("start", "--attach", "large");
  const written = (await sizes()).SizeRw - before.SizeRw;
  expect(written).toBeGreaterThanOrEqual(1 << 20);
  expect(written).toBeLessThan(2 << 20);
  expect(await output("inspect", "--size", "-f", "{{.SizeRootFs}}", "large")).toBe(String(before.SizeRootFs + written));
  expect(JSON.parse(await output("inspect", "large"))[0]).not.toHaveProperty("SizeRw");
  expect(await ramekin("inspect", "--size", "--type", "image", "busybox")).toMatchObject({
    code: 0,
    stderr: "WARNING: --size ignored for images\n",
  });
  await output("rm", "large");
});
