import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, layeredImage, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(3)] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const layersOf = async (name: string): Promise<string[]> => JSON.parse(await output("image", "inspect", name))[0].RootFS.Layers;
const steps = async (name: string) =>
  (await output("history", "--no-trunc", "--format", "{{.Size}} {{.Comment}}", name)).split("\n").map((line) => line.trim());

/** What umoci, which knows nothing of us, unpacks of it. */
async function unpacked(name: string): Promise<string> {
  const folder = join(here().folder, `unpacked-${name.replaceAll(/\W/g, "-")}`);
  await mkdir(folder);
  await output("save", "--format", "oci-dir", "-o", join(folder, "layout"), name);
  const [tag] = JSON.parse((await succeed(["umoci", "ls", "--layout", join(folder, "layout")])).stdout.trim() ? "[1]" : "[0]");
  expect(tag).toBe(1);
  const tags = (await succeed(["umoci", "ls", "--layout", join(folder, "layout")])).stdout.trim();
  await succeed(["umoci", "raw", "unpack", "--image", `${join(folder, "layout")}:${tags}`, join(folder, "root")]);
  return join(folder, "root");
}

/** How many blobs of an image hold what a layer had and the next one deleted; the history has the command, not its result. */
async function hidden(name: string): Promise<string> {
  const file = join(here().folder, `${name.replace(":", "-")}.tar`);
  await output("save", "-o", file, name);
  const blobs = `for blob in $(tar -tf ${file} | grep 'blobs/.*/.'); do tar -xOf ${file} $blob | zcat -f | grep -qa 42-hidden && echo $blob; done`;
  return (await succeed(["sh", "-c", `{ ${blobs}; } | wc -l`])).stdout.trim();
}

for (const storage of ["overlayfs", "vfs"]) {
  test(`[IMG-9] [image squash --message] all layers become one, the files stay the same: ${storage}`, async () => {
    const { code, stdout } = await ramekin("--storage-driver", storage, "image", "squash", "-m", "in one", "layers-3", `flat-${storage}`);
    expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
    expect(await layersOf(`flat-${storage}`)).toHaveLength(1);
    expect((await layersOf("layers-3")).length).toBeGreaterThan(1);
    expect((await steps(`flat-${storage}`))[0]).toMatch(/in one$/);
    expect(await output("image", "diff", `flat-${storage}`, "layers-3")).toBe("");
    await succeed(["diff", "-r", "--no-dereference", await unpacked("layers-3"), await unpacked(`flat-${storage}`)]);
    expect(await output("run", "--rm", `flat-${storage}`, "cat", "/layers/2")).toBe(
      await output("run", "--rm", "layers-3", "cat", "/layers/2"),
    );
    await output("rmi", `flat-${storage}`);
    await succeed(["rm", "-r", join(here().folder, "unpacked-layers-3")]);
  });
}

test("[IMG-9] [image squash --onto] [image squash --platform] the base's layers stay, and what comes and goes above them is nowhere", async () => {
  for (const [from, to, script] of [
    ["layers-3", "step:1", "echo $((6 * 7))-hidden > /secret; echo one > /one; rm /layers/1"],
    ["step:1", "step:2", "rm /secret; echo two > /two"],
  ] as const) {
    await output("run", "--name", "step", from, "sh", "-ec", script);
    await output("commit", "step", to);
    await output("rm", "step");
  }
  const base = await layersOf("layers-3");
  expect(await layersOf("step:2")).toHaveLength(base.length + 2);
  await output("image", "squash", "--onto", "layers-3", "--platform", "linux/amd64", "step:2", "small");
  const layers = await layersOf("small");
  expect([layers.length, layers.slice(0, -1)]).toEqual([base.length + 1, base]);
  expect(await output("image", "diff", "small", "step:2")).toBe("");
  const changed = (await output("image", "diff", "small", "layers-3")).split("\n").filter((line) => !line.includes("/etc"));
  expect(changed.sort()).toEqual(["A /one", "A /two", "C /layers", "D /layers/1"]);
  expect((await steps("small"))[0]).toMatch(/merge sha256:[0-9a-f]{64} to sha256:[0-9a-f]{64}$/);
  expect([await hidden("step:2"), await hidden("small")]).toEqual(["1", "0"]);
  expect(await ramekin("image", "squash", "--onto", "small", "busybox")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is not built on small"),
  });
  expect((await ramekin("image", "squash", "nobody")).code).toBe(1);
});
