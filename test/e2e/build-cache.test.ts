import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, succeed, useKitchen, useRegistry } from "../support/index.ts";

const images = async () => [await busyboxImage()];
const here = useKitchen(async () => ({ images: await images() }));
const registry = useRegistry(images);
const inside = (name: string) => join(here().folder, name);
const json = async (...args: string[]) => JSON.parse((await succeed(args)).stdout);
const lines = (...all: string[]) => `${all.join("\n")}\n`;

const file = lines(
  "FROM busybox AS mill",
  "COPY grain /grain",
  "RUN --mount=type=cache,id=stones,target=/stones,uid=12,mode=0750 echo ground >> /stones/log && cat /stones/log > /flour",
  "FROM busybox",
  "WORKDIR /bakery",
  "COPY --from=mill /flour .",
  "RUN cat flour > bread",
);

async function context(name: string): Promise<string> {
  const folder = inside(name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "Dockerfile"), file);
  await writeFile(join(folder, "grain"), "wheat\n");
  return folder;
}

/** A store of its own, as another machine has: nothing is in it but the base. */
async function otherMachine(name: string) {
  const env = { RAMEKIN_ROOT: inside(`${name}-root`), RAMEKIN_RUNROOT: inside(`${name}-run`) };
  await here().output(["load", "--quiet", "--input", (await busyboxImage()).folder], { env });
  return (...args: string[]) => here().ramekin(args, { env });
}

async function built(ramekin: (...args: string[]) => Promise<{ code: number | null; stderr: string }>, ...args: string[]) {
  const { code, stderr } = await ramekin("build", "--progress", "plain", ...args);
  expect(code, stderr).toBe(0);
  return {
    stderr,
    steps: new Set(stderr.match(/^#\d+(?= \[(?!internal)[^\]]*\] (?!FROM))/gm)).size,
    cached: stderr.match(/^#\d+ CACHED$/gm)?.length ?? 0,
  };
}

const idOf = async (ramekin: (...args: string[]) => Promise<{ stdout: string }>, name: string) =>
  JSON.parse((await ramekin("image", "inspect", name)).stdout)[0].Id;

test("[BLD-9] [BLD-10] [build --cache-to] [build --cache-from] a directory carries every step, and with mounts=true what cache mounts hold; the image of the other machine is the same", async () => {
  const folder = await context("directory");
  const first = (...args: string[]) => here().ramekin(args);
  await built(first, "-t", "bread", "--cache-to", `type=local,dest=${inside("cache")},mode=max,mounts=true`, folder);
  const id = await idOf(first, "bread");

  // BuildKit's format (cache/remotecache/v1/types/spec.go): layers on one another, records linked to those before.
  const { manifests } = JSON.parse(await readFile(inside("cache/index.json"), "utf8"));
  expect(manifests[0].annotations).toEqual({ "org.opencontainers.image.ref.name": "latest" });
  const blob = async (digest: string) => JSON.parse(await readFile(inside(`cache/blobs/${digest.replace(":", "/")}`), "utf8"));
  const manifest = await blob(manifests[0].digest);
  expect(manifest.config.mediaType).toBe("application/vnd.buildkit.cacheconfig.v0");
  const document = await blob(manifest.config.digest);
  const known = new Set(manifest.layers.map(({ digest }: { digest: string }) => digest));
  for (const [index, { blob: digest, parent, annotations }] of document.layers.entries()) {
    expect(known.has(digest) && parent < index && annotations.diffID.startsWith("sha256:")).toBe(true);
  }
  for (const [index, { inputs = [], layers = [] }] of document.records.entries()) {
    expect(inputs.flat().every(({ link }: { link: number }) => link < index)).toBe(true);
    expect(layers.every(({ layer }: { layer: number }) => layer < document.layers.length)).toBe(true);
  }

  // As a CI system's cache brings it back: a copy.
  await cp(inside("cache"), inside("restored"), { recursive: true });
  await rm(inside("cache"), { recursive: true });
  const second = await otherMachine("second");
  const from = ["--cache-from", `type=local,src=${inside("restored")}`];
  const again = await built(second, "-t", "bread", ...from, folder);
  expect(again.cached).toBe(again.steps);
  expect(await idOf(second, "bread")).toBe(id);
  // The mount came along: the next run of the step finds what the first left, owned as it was.
  await writeFile(join(folder, "grain"), "rye\n");
  await built(second, "-t", "rye", ...from, folder);
  expect((await second("run", "--rm", "rye", "cat", "bread")).stdout).toBe("ground\nground\n");
  const [mount = ""] = await readdir(inside("second-root/build-cache/mounts"));
  expect((await succeed(["stat", "-c", "%u %a", inside(`second-root/build-cache/mounts/${mount}/0`)])).stdout).toBe("12 750\n");

  // Without mounts=true they stay at home, and mode=min has what the result is made of.
  await built(first, "--cache-to", `type=local,dest=${inside("small")},tag=min`, folder);
  const third = await otherMachine("third");
  const small = await built(third, "-t", "bread", "--cache-from", `type=local,src=${inside("small")},tag=min`, folder);
  expect(small.stderr).toMatch(/RUN --mount=type=cache.*\n#\d+ DONE/);
  expect(small.stderr).toMatch(/WORKDIR \/bakery\n#\d+ CACHED/);
  expect((await third("run", "--rm", "bread", "cat", "bread")).stdout).toBe("ground\n");
});

test("[BLD-9] [build --no-cache-filter] a registry carries the cache, as a manifest, as an index, or in the image itself", async () => {
  const folder = await context("registry");
  const { host } = registry();
  const first = (...args: string[]) => here().ramekin(args);
  const reference = `${host}/cache:bread`;
  await built(
    first,
    "-t",
    `${host}/bread`,
    "--push",
    "--cache-to",
    `type=registry,ref=${reference},mode=max`,
    "--cache-to",
    "type=inline",
    folder,
  );
  const id = await idOf(first, `${host}/bread`);
  const raw = (name: string) => json("skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`);
  expect((await raw(reference)).config.mediaType).toBe("application/vnd.buildkit.cacheconfig.v0");
  const index = `type=registry,ref=${host}/cache:index,mode=max,image-manifest=false,compression=zstd,force-compression=true`;
  await built(first, "--cache-to", index, folder);
  const { mediaType, manifests } = await raw(`${host}/cache:index`);
  expect(mediaType).toBe("application/vnd.oci.image.index.v1+json");
  expect(manifests.map((each: { mediaType: string }) => each.mediaType)).toEqual([
    ...manifests.slice(1).map(() => "application/vnd.oci.image.layer.v1.tar+zstd"),
    "application/vnd.buildkit.cacheconfig.v0",
  ]);

  for (const [name, from] of [
    ["manifest", `type=registry,ref=${reference}`],
    ["index", `${host}/cache:index`],
  ] as const) {
    const other = await otherMachine(name);
    const again = await built(other, "-t", "bread", "--cache-from", from, folder);
    expect([name, again.cached]).toEqual([name, again.steps]);
    if (name === "manifest") {
      expect((await other("run", "--rm", "bread", "cat", "bread")).stdout).toBe("ground\n");
      const filtered = await built(other, "--no-cache-filter", "mill", folder);
      expect(filtered.stderr).toMatch(/\[mill 2\/3\] COPY grain.*\n#\d+ DONE/);
      expect(filtered.stderr).toMatch(/WORKDIR \/bakery\n#\d+ CACHED/);
    }
  }
  // Of an inline cache, what the image is made of: the last stage.
  const inline = await otherMachine("inline");
  const again = await built(inline, "-t", `${host}/bread`, "--cache-from", `${host}/bread`, "--cache-to", "type=inline", folder);
  expect(again.stderr).toMatch(/WORKDIR \/bakery\n#\d+ CACHED/);
  expect(again.stderr).toMatch(/RUN cat flour > bread\n#\d+ CACHED/);
  expect((await raw(`${host}/bread`)).config.digest).toBeDefined();
  expect(id).toMatch(/^sha256:/);
});

test("[BLD-9] caches that are not there are told of; targets that cannot be are refused, and those that fail fail the build unless told otherwise", async () => {
  const folder = await context("absent");
  const ramekin = (...args: string[]) => here().ramekin(args);
  const { host } = registry();
  const { stderr } = await built(ramekin, "--cache-from", `type=local,src=${inside("nowhere")}`, "--cache-from", `${host}/none`, folder);
  expect(stderr).toContain(`the cache ${inside("nowhere")} is not used`);
  expect(stderr).toContain(`the cache ${host}/none is not used`);
  const target = "type=registry,ref=127.0.0.1:1/cache";
  expect((await ramekin("build", "--cache-to", target, folder)).code).toBe(1);
  await built(ramekin, "--cache-to", `${target},ignore-error=true`, folder);
  for (const [flags, said] of [
    [["--cache-to", "type=gha"], "a build cache of type gha is not supported"],
    [["--cache-from", "type=s3,bucket=b"], "a build cache of type s3 is not supported"],
    [["--cache-to", "type=inline,mode=max"], "an inline cache has the layers of its image"],
    [["--cache-to", "type=local"], "dest is required"],
    [["--cache-to", "type=registry,ref=x,oci-mediatypes=false,image-manifest=true"], "image-manifest=true needs oci-mediatypes=true"],
  ] as const) {
    expect(await ramekin("build", ...flags, folder)).toMatchObject({ code: 1, stderr: expect.stringContaining(said) });
  }
});

test("[BLD-9] a copy of the whole store works where it arrives: every step is found done, and what cache mounts held is there", async () => {
  const folder = await context("copied");
  await built((...args) => here().ramekin(args), "-t", "bread", folder);
  await succeed(["cp", "-a", here().root, inside("copied-root")]);
  const env = { RAMEKIN_ROOT: inside("copied-root"), RAMEKIN_RUNROOT: inside("copied-run") };
  const there = (...args: string[]) => here().ramekin(args, { env });
  const again = await built(there, "-t", "bread", folder);
  expect(again.cached).toBe(again.steps);
  expect((await there("run", "--rm", "bread", "cat", "bread")).stdout).toContain("ground\n");
  await writeFile(join(folder, "grain"), "oats\n");
  await built(there, "-t", "oats", folder);
  expect((await there("run", "--rm", "oats", "cat", "bread")).stdout).toMatch(/^(?:ground\n){2,}$/);
  expect((await there("system", "fsck")).code).toBe(0);
  expect((await there("builder", "prune", "-f")).code).toBe(0);
  // The other store is none the wiser.
  expect((await here().ramekin(["run", "--rm", "bread", "cat", "bread"])).stdout).toContain("ground\n");
});

test("[builder du --filter] [builder du --verbose] [builder prune --max-used-space] [builder prune --reserved-space] [builder prune --keep-storage] [builder prune --min-free-space] [builder prune --verbose] what builds keep is listed, and goes by last use", async () => {
  const ramekin = await otherMachine("pruned");
  const folder = await context("pruned");
  await built(ramekin, "-t", "bread", folder);
  const rows = async (...flags: string[]) => (await ramekin("builder", "du", ...flags)).stdout.trim().split("\n");
  const all = await rows();
  expect(all[0]).toMatch(/^ID +RECLAIMABLE +SIZE +LAST ACCESSED$/);
  expect(all.length).toBe(1 + 6 + 2);
  expect(all.at(-1)).toMatch(/^Total:\t\t[\d.]+k?B$/);
  expect((await rows("--verbose", "--filter", "type=exec.cachemount")).join("\n")).toMatch(/^Type:\t\texec\.cachemount$/m);
  // `system df` counts what no image has: here the mill, which is in none, and the cache mount.
  const df = (await ramekin("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Size}} {{.Reclaimable}}")).stdout;
  expect(df).toMatch(/^Build Cache 6 [\d.]+kB [\d.]+kB \(100%\)$/m);
  expect((await ramekin("system", "df", "-v")).stdout).toMatch(/^[0-9a-f]{12} +exec\.cachemount /m);
  const prune = (...flags: string[]) => ramekin("builder", "prune", "--force", ...flags);
  // Enough room for all, and enough that stays for itself.
  for (const flags of [
    ["--max-used-space", "1g"],
    ["--min-free-space", "1"],
    ["--max-used-space", "1", "--reserved-space", "1g"],
    ["--keep-storage", "1g"],
  ]) {
    expect((await prune(...flags)).code).toBe(0);
    expect((await rows()).length).toBe(9);
  }
  expect((await prune("--filter", "type=exec.cachemount", "--verbose")).stdout).toMatch(/^[0-9a-f]{64} +true/m);
  expect((await rows()).length).toBe(8);
  // The last step of all was of use last.
  await prune("--max-used-space", "300");
  const left = await rows();
  expect(left.length).toBeGreaterThan(3);
  expect(left.length).toBeLessThan(8);
  const again = await built(ramekin, "-t", "bread", folder);
  expect(again.cached).toBeLessThan(again.steps);
  await prune();
  expect((await rows()).length).toBe(3);
  expect((await prune("--filter", "type=other")).code).toBe(1);
});
