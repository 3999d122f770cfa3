import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, layeredImage, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(3)] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
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
