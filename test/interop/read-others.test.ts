import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildahImage, busyboxImage, canonical, noBuildah, readImage, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({}));
const original = async () => `oci:${(await busyboxImage()).folder}:${canonical("busybox")}`;

/** Loads, runs and removes whatever was loaded; the names that `load` has printed. */
async function loadAndRun(path: string): Promise<string[]> {
  const printed = await here().output(["load", "-i", path]);
  const names = [...printed.matchAll(/^Loaded image(?: ID)?: (\S+)$/gm)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    expect(await here().output(["run", "--rm", "--entrypoint", "/bin/sh", name, "-c", "echo works"])).toBe("works");
    await here().output(["rmi", name]);
  }
  await rm(path, { recursive: true });
  return names;
}

test.each(["oci", "oci-archive", "docker-archive"])("[IMG-3] what skopeo writes as %s", async (transport) => {
  const path = join(here().folder, `skopeo-${transport}`);
  await succeed(["skopeo", "copy", "--quiet", await original(), `${transport}:${path}:example.com/team/app:v1`]);
  expect(await loadAndRun(path)).toEqual(["example.com/team/app:v1"]);
});

test("[IMG-2] a layout with Docker's own media types", async () => {
  const path = join(here().folder, "schema2");
  // skopeo's `dir:` keeps them; as a docker-archive of layers it is what `docker save` writes.
  await succeed(["skopeo", "copy", "--quiet", "--format", "v2s2", await original(), `dir:${path}`]);
  const archive = `${path}.tar`;
  await succeed(["skopeo", "copy", "--quiet", `dir:${path}`, `docker-archive:${archive}:app:v2`]);
  expect(await loadAndRun(archive)).toEqual(["app:v2"]);
});

test("what umoci writes, with names that are only tags", async () => {
  const path = join(here().folder, "umoci");
  await succeed(["skopeo", "copy", "--quiet", await original(), `oci:${path}:base`]);
  await succeed(["umoci", "config", "--image", `${path}:base`, "--tag", "changed", "--config.env", "BY=umoci"]);
  await loadAndRun(path);
});

test("[IMG-3] a layer that umoci makes, in a layout of its own", async () => {
  const path = join(here().folder, "umoci-layer");
  await succeed(["skopeo", "copy", "--quiet", await original(), `oci:${path}:base`]);
  const added = join(here().folder, "added");
  await writeFile(added, "by umoci\n");
  await succeed(["umoci", "insert", "--image", `${path}:base`, "--tag", "more", added, "/added"]);
  await succeed(["umoci", "rm", "--image", `${path}:base`]);
  const digest = (await readImage(path, "more")).descriptor.digest;
  const [, name = ""] = /^Loaded image: (\S+)$/m.exec(await here().output(["load", "-i", path])) ?? [];
  expect(JSON.parse(await here().output(["image", "inspect", name]))[0].Id).toBe(digest);
  expect(await here().output(["run", "--rm", name, "cat", "/added"])).toBe("by umoci");
  await here().output(["rmi", name]);
});

test("[IMG-3] skopeo's own directories", async () => {
  const path = join(here().folder, "skopeo-dir");
  await succeed(["skopeo", "copy", "--quiet", await original(), `dir:${path}`]);
  await loadAndRun(path);
});

test("[IMG-5] layers without compression, and with zstd", async () => {
  for (const compression of ["gzip", "zstd"]) {
    const path = join(here().folder, compression);
    await succeed([
      "skopeo",
      "copy",
      "--quiet",
      "--dest-compress-format",
      compression,
      "--dest-compress",
      await original(),
      `oci:${path}:app`,
    ]);
    await loadAndRun(path);
  }
  const path = join(here().folder, "plain");
  await succeed(["skopeo", "copy", "--quiet", "--dest-decompress", await original(), `dir:${path}`]);
  await succeed(["skopeo", "copy", "--quiet", `dir:${path}`, `oci-archive:${path}.tar:plain:v1`]);
  await loadAndRun(`${path}.tar`);
});

test("what buildah writes", async (context) => {
  if (noBuildah !== undefined) return context.skip(noBuildah);
  const path = join(here().folder, "buildah");
  const { folder } = await buildahImage();
  await succeed(["cp", "-r", folder, path]);
  expect(await loadAndRun(path)).toEqual(["bakery:latest"]);
});

test("the digest is what skopeo says it is", async () => {
  const { folder } = await busyboxImage();
  await here().output(["load", "-q", "-i", folder]);
  const { descriptor } = await readImage(folder, canonical("busybox"));
  expect(await here().output(["images", "-q", "--no-trunc", "busybox"])).toBe(descriptor.digest);
  await here().output(["rmi", "busybox"]);
});
