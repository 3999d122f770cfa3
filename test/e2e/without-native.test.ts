// A machine for which there is no build of the native parts: what moves images works, what needs a kernel says what it lacks.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, kitchen, layeredImage, useRegistry } from "../support/index.ts";

const registry = useRegistry(async () => [await busyboxImage(), await layeredImage(40)]);
const at = (name: string) => `${registry().host}/${name}`;

async function bareKitchen() {
  const place = await kitchen();
  const nothing = join(place.folder, "nothing");
  await mkdir(nothing);
  const env = { RAMEKIN_NATIVE_DIR: nothing };
  return { place, bare: (...args: string[]) => place.output(args, { env }), refused: (...args: string[]) => place.ramekin(args, { env }) };
}

test("images come, are kept, checked and go, with the digests that they have elsewhere", async () => {
  const { place, bare } = await bareKitchen();
  await using _ = place;
  expect(await bare("pull", "-q", at("busybox"))).toBe(at("busybox:latest"));
  const layers = "{{json .RootFS.Layers}}";
  const here = await bare("image", "inspect", "--format", layers, at("busybox"));
  const archive = join(place.folder, "saved.tar");
  await bare("save", "-o", archive, at("busybox"));
  await bare("tag", at("busybox"), at("bare"));
  expect(await bare("push", at("bare"))).toMatch(/latest: digest: sha256:/);
  expect(await bare("push", "--compression", "zstd", at("bare"))).toMatch(/latest: digest: sha256:/);
  expect(await bare("system", "fsck")).toContain("The store is sound.");
  await bare("rmi", at("busybox"), at("bare"));
  expect(await bare("images", "-q")).toBe("");
  await bare("load", "-i", archive);

  // With native parts, over the same store: the same image, and it runs.
  expect(await place.output(["image", "inspect", "--format", layers, at("busybox")])).toBe(here);
  expect(await place.output(["run", "--rm", at("busybox"), "echo", "served"])).toBe("served");
  expect(await place.output(["run", "--rm", "-q", at("bare"), "echo", "from zstd"])).toBe("from zstd");
});

test("with and without them, processes keep out of each other's way", async () => {
  const { place, bare } = await bareKitchen();
  await using _ = place;
  const pulls = [bare("pull", "-q", at("layers-40")), place.output(["pull", "-q", at("layers-40")]), bare("pull", "-q", at("busybox"))];
  expect(await Promise.all(pulls)).toEqual([at("layers-40:latest"), at("layers-40:latest"), at("busybox:latest")]);
  expect(await bare("system", "fsck")).toContain("The store is sound.");
});

test("a container is refused, with what is missing", async () => {
  const { place, bare, refused } = await bareKitchen();
  await using _ = place;
  await bare("pull", "-q", at("busybox"));
  const { code, stderr } = await refused("run", "--rm", at("busybox"), "true");
  expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("ramekin-shim is missing in") });
});
