import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  busyboxImage,
  copyOf,
  faultProxy,
  image,
  kitchen,
  layeredImage,
  layout,
  named,
  noPty,
  type SeenRequest,
  succeed,
  type TestImage,
  tar,
  types,
  useKitchen,
  useRegistry,
} from "../support/index.ts";

const registry = useRegistry(async () => []);
const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(40)] }));
const output = (...args: string[]) => here().output(args);
const at = (name: string, host = registry().host) => `${host}/${name}`;
const digestOf = async (name: string) => JSON.parse(await output("image", "inspect", name))[0].Id as string;
const remoteDigest = async (name: string) =>
  (await succeed(["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${name}`])).stdout.trim();
const uploads = (seen: readonly SeenRequest[]) => seen.filter(({ method, url }) => method === "PUT" && url.includes("/blobs/"));

/** One small image each for two platforms under an index, and one index in it. */
async function twoPlatforms(folder: string, name: string): Promise<TestImage> {
  const made = await layout(folder);
  const platforms = [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64" },
  ];
  const manifests = [];
  for (const platform of platforms) {
    const content = `${platform.architecture}\n`;
    manifests.push({
      ...(await image(made, { tars: [tar([{ path: "platform", content }])], platform, fields: { created: "2026-01-01T00:00:00Z" } })),
      platform,
    });
  }
  const inner = await made.json(types.index, { schemaVersion: 2, mediaType: types.index, manifests });
  const outer = await made.json(types.index, {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [inner],
    annotations: { kept: "whole" },
  });
  await made.index([named(outer, `docker.io/library/${name}:latest`)]);
  return { folder, name };
}

describe("push", () => {
  test("[REG-1] [API-6] the same digest there as here, in Docker's words; the second time no blob moves", async () => {
    await using proxy = await faultProxy(registry().host, () => undefined);
    const name = at("first", proxy.host);
    await output("tag", "layers-40", name);
    const digest = await digestOf("layers-40");
    const first = (await output("push", name)).split("\n");
    expect(first.slice(0, 2)).toEqual(["Using default tag: latest", `The push refers to repository [${name}]`]);
    expect(first.filter((line) => /^[0-9a-f]{12}: Pushed$/.test(line))).toHaveLength(40);
    expect(first.at(-1)).toMatch(new RegExp(`^latest: digest: ${digest} size: \\d+$`));
    expect(await remoteDigest(at("first"))).toBe(digest);
    const before = uploads(proxy.seen).length;
    expect(await output("push", name)).toContain(": Layer already exists");
    expect(uploads(proxy.seen)).toHaveLength(before);
  });

  test("a layer that another repository of the registry has is mounted from there", async () => {
    await using proxy = await faultProxy(registry().host, () => undefined);
    for (const name of ["team/one", "team/two"]) await output("tag", "busybox", at(name, proxy.host));
    await output("push", at("team/one", proxy.host));
    const before = uploads(proxy.seen).filter(({ url }) => url.includes("team/two")).length;
    expect(await output("push", at("team/two", proxy.host))).toContain("Mounted from team/one");
    expect(uploads(proxy.seen).filter(({ url }) => url.includes("team/two")).length - before).toBe(1); // the configuration
    expect(await remoteDigest(at("team/two"))).toBe(await digestOf("busybox"));
  });

  test("[push --quiet] [push --all-tags] every tag of the repository", async () => {
    for (const tag of ["1", "2"]) await output("tag", "busybox", at(`tags:${tag}`));
    expect(await output("push", "--quiet", "--all-tags", at("tags"))).toBe(`${at("tags:1")}\n${at("tags:2")}`);
    for (const tag of ["1", "2"]) expect(await remoteDigest(at(`tags:${tag}`))).toBe(await digestOf("busybox"));
    expect(await here().ramekin(["push", "-a", at("tags:1")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("tag can't be used with --all-tags/-a"),
    });
  });

  test("[IMG-5] [push --compression] [push --digestfile] layers become zstd, the diff ids stay", async () => {
    const name = at("smaller:1");
    await output("tag", "layers-40", name);
    const file = join(here().folder, "digest");
    const { stdout } = await here().ramekin(["push", "--compression", "zstd:3", "--digestfile", file, name]);
    const digest = await readFile(file, "utf8");
    expect(stdout).toContain(`1: digest: ${digest} size: `);
    expect(await remoteDigest(name)).toBe(digest);
    const raw = async (...what: string[]) =>
      JSON.parse((await succeed(["skopeo", "inspect", "--tls-verify=false", ...what, `docker://${name}`])).stdout);
    expect(new Set((await raw("--raw")).layers.map(({ mediaType }: { mediaType: string }) => mediaType))).toEqual(
      new Set(["application/vnd.oci.image.layer.v1.tar+zstd"]),
    );
    expect((await raw("--config", "--raw")).rootfs).toEqual({
      type: "layers",
      diff_ids: JSON.parse(await output("image", "inspect", "layers-40"))[0].RootFS.Layers,
    });
    await using other = await kitchen();
    expect(await other.output(["run", "--rm", name, "cat", "/layers/top"])).toBe("39");
    expect(await here().ramekin(["push", "--compression", "lzma", name])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("gzip or zstd"),
    });
  });

  test("[push --progress] as documents, one a line", async () => {
    await output("tag", "busybox", at("progress"));
    const lines = (await output("push", "--progress", "json", at("progress"))).split("\n").filter((line) => line.startsWith("{"));
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      status: expect.stringMatching(/^(Pushed|Mounted from .+)$/),
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });

  test("what is not here, and whom nobody knows", async () => {
    expect(await here().ramekin(["push", at("nothing")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("does not exist locally with the tag"),
    });
    expect((await here().ramekin(["push", `busybox@${await digestOf("busybox")}`])).code).toBe(1);
  });
});

describe("several platforms", () => {
  test("[IMG-2] [push --platform] [pull --all-platforms] [pull --all-tags] [pull --progress] an index goes and comes whole, or one platform of it", async () => {
    await using from = await kitchen({ images: [await twoPlatforms(join(here().folder, "two"), "two")] });
    const digest = JSON.parse(await from.output(["image", "inspect", "--platform", "linux/arm64", "two"]))[0].Id;
    for (const tag of ["whole", "arm"]) await from.output(["tag", "two", at(`two:${tag}`)]);
    expect(await from.output(["push", at("two:whole")])).toContain(`whole: digest: ${digest} size: `);
    await from.output(["push", "--platform", "linux/arm64", at("two:arm")]);
    const manifest = JSON.parse((await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${at("two:arm")}`])).stdout);
    expect(manifest.mediaType).toBe(types.manifest);
    expect(await from.ramekin(["push", "--platform", "linux/s390x", at("two:arm")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("linux/s390x"),
    });

    await using to = await kitchen();
    const lines = (await to.output(["pull", "--progress", "json", "--all-platforms", at("two:whole")])).split("\n");
    expect(lines.slice(0, -1).every((line) => JSON.parse(line).status !== undefined)).toBe(true);
    expect(lines.at(-1)).toBe(at("two:whole"));
    for (const platform of ["amd64", "arm64"]) {
      const archive = await to.ramekin(["export-image", "--platform", `linux/${platform}`, at("two:whole")]);
      expect((await succeed(["tar", "-xO", "platform"], { input: archive.bytes })).stdout).toBe(`${platform}\n`);
    }
    expect(await to.output(["pull", "--quiet", "--all-tags", at("two")])).toBe(at("two"));
    expect((await to.output(["images", "--format", "{{.Tag}}"])).split("\n").sort()).toEqual(["arm", "whole"]);
    expect((await to.ramekin(["pull", "-a", at("two:arm")])).code).toBe(1);
  });

  test("an index of which one platform is here is pushed as that platform, and says so", async () => {
    await using from = await kitchen({ images: [await twoPlatforms(join(here().folder, "half"), "half")] });
    await from.output(["tag", "half", at("half:whole")]);
    await from.output(["push", "-q", at("half:whole")]);
    await using to = await kitchen();
    await to.output(["pull", "-q", at("half:whole")]);
    await to.output(["tag", at("half:whole"), at("elsewhere:one")]);
    const said = await to.output(["push", at("elsewhere:one")]);
    expect(said).toMatch(/only the available single-platform image was pushed\nsha256:[0-9a-f]{64} -> sha256:[0-9a-f]{64}/);
    const manifest = JSON.parse(
      (await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${at("elsewhere:one")}`])).stdout,
    );
    expect(manifest.mediaType).toBe(types.manifest);
    // The registry has the rest where it was pulled from: there the index itself goes.
    expect(await to.output(["push", at("half:whole")])).not.toContain("single-platform");
  });

  test("[IMG-2] [save --platform] [load --platform] [history --platform] [images --tree] [rmi --platform] [rmi --no-prune]", async () => {
    await using from = await kitchen({ images: [await twoPlatforms(join(here().folder, "saved"), "saved")] });
    const [whole, arm] = [join(from.folder, "whole.tar"), join(from.folder, "arm.tar")];
    const digest = JSON.parse(await from.output(["image", "inspect", "saved"]))[0].Id;
    await from.output(["save", "-o", whole, "saved"]);
    await from.output(["save", "--platform", "linux/arm64", "-o", arm, "saved"]);
    const tree = (await from.output(["images", "--tree"])).split("\n");
    expect(tree[0]?.split(/ {2,}/)).toEqual(["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"]);
    expect(tree.slice(1).map((line) => line.split(/ {3,}/)[0])).toEqual(["saved:latest", "├─ linux/amd64", "└─ linux/arm64"]);
    expect(await from.ramekin(["images", "--tree", "-q"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not yet supported with --tree"),
    });

    expect(await from.output(["rmi", "--platform", "linux/arm64", "saved"])).toMatch(/^(Deleted: sha256:[0-9a-f]{64}\n?){3}$/);
    expect((await from.ramekin(["history", "--platform", "linux/arm64", "saved"])).code).toBe(1);
    expect((await from.output(["history", "--platform", "linux/amd64", "saved"])).split("\n")).toHaveLength(2);
    await from.output(["rmi", "--no-prune", "saved"]);
    expect(await from.output(["images", "-aq"])).toBe("");
    const kept = (await from.traces()).filter((path) => /blobs\/sha256\/[0-9a-f]/.test(path));
    expect(kept.length).toBeGreaterThan(0);
    await from.output(["system", "prune", "-f"]);
    expect((await from.traces()).filter((path) => /blobs\/sha256\/[0-9a-f]/.test(path))).toEqual([]);

    await from.output(["load", "--platform", "linux/arm64", "-i", whole]);
    expect(JSON.parse(await from.output(["image", "inspect", "--platform", "linux/arm64", "saved"]))[0].Id).toBe(digest);
    expect((await from.ramekin(["image", "inspect", "--platform", "linux/amd64", "saved"])).code).toBe(1);
    expect(await from.ramekin(["load", "--platform", "linux/s390x", "-i", whole])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("s390x"),
    });
    await from.output(["rmi", "saved"]);
    await from.output(["load", "-i", arm]);
    expect(JSON.parse(await from.output(["image", "inspect", "--platform", "linux/arm64", "saved"]))[0].Id).not.toBe(digest);
  });
});

describe("save and load", () => {
  test.each([
    ["dual", "file"],
    ["docker-archive", "file"],
    ["oci-archive", "file"],
    ["oci-dir", "folder"],
    ["docker-dir", "folder"],
  ])("[IMG-3] [save --format] [save --output] %s, and back: from a %s, and through a pipe", async (format, kind) => {
    await using other = await kitchen();
    const path = join(other.folder, `saved-${format}`);
    await output("save", "--format", format, "--output", path, "busybox");
    const digest = await digestOf("busybox");
    const same = format !== "docker-archive"; // its manifests are made when it is read
    const check = async () => {
      const [id = ""] = (await other.output(["images", "-aq", "--no-trunc"])).split("\n");
      if (same) expect(id).toBe(digest);
      expect(await other.output(["run", "--rm", id, "echo", "works"])).toBe("works");
      await other.output(["rmi", id]);
    };
    await other.output(["load", "-i", path]);
    await check();
    const bytes = kind === "file" ? await readFile(path) : (await succeed(["tar", "-C", path, "-c", "."])).bytes;
    await other.output(["load"], { input: bytes });
    await check();
    await other.output(["load"], { input: gzipSync(bytes, { level: 1 }) });
    await check();
    if (kind === "file") {
      const folder = join(other.folder, "unpacked");
      await mkdir(folder);
      await succeed(["tar", "-x"], { cwd: folder, input: bytes });
      await other.output(["load", "-i", folder]);
      await check();
    }
  });

  test("[save --compress] by the name of the file, or as told; several images in one archive", async () => {
    await using other = await kitchen();
    const magic = async (path: string) => (await readFile(path)).subarray(0, 4).toString("hex");
    const paths: readonly [string, string[], RegExp][] = [
      ["a.tar.gz", [], /^1f8b/],
      ["a.tar.zst", [], /^28b52ffd/],
      ["a.tar", ["--compress", "gzip"], /^1f8b/],
      ["b.tar.gz", ["--compress", "none"], /^6f63692d/],
    ];
    for (const [name, flags, begin] of paths) {
      const path = join(other.folder, name);
      await output("save", ...flags, "-o", path, "busybox", "layers-40");
      expect(await magic(path)).toMatch(begin);
      expect((await other.output(["load", "-q", "-i", path])).split("\n").sort()).toEqual([
        "Loaded image: busybox:latest",
        "Loaded image: layers-40:latest",
      ]);
      await other.output(["rmi", "busybox", "layers-40"]);
    }
    expect(
      (await here().ramekin(["save", "--compress", "gzip", "--format", "oci-dir", "-o", join(other.folder, "x"), "busybox"])).code,
    ).toBe(1);
  });

  test("by its id an image goes without a name; nothing is written for one that is not here, or at a terminal", async (context) => {
    await using other = await kitchen();
    const archive = (await here().ramekin(["save", (await digestOf("busybox")).slice(7, 19)])).bytes;
    expect(await other.output(["load"], { input: archive })).toBe(`Loaded image ID: ${await digestOf("busybox")}`);
    const path = join(other.folder, "none.tar");
    expect(await here().ramekin(["save", "-o", path, "busybox", "nobody"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nobody"),
    });
    expect(existsSync(path)).toBe(false);
    if (noPty !== undefined) return context.skip(noPty);
    expect(await here().terminal(["save", "busybox"], [])).toMatchObject({
      code: 1,
      output: expect.stringContaining("cowardly refusing to save to a terminal. Use the -o flag or redirect"),
    });
  });
});

describe("import and export-image", () => {
  test("[IMG-4] [import --change] [import --message] [import --platform] [export-image --output] [export-image --platform] there and back", async () => {
    const files = join(here().folder, "root.tar");
    await output("export-image", "--platform", "linux/amd64", "--output", files, "busybox");
    const id = await output(
      "import",
      "-m",
      "a message",
      "-c",
      'CMD ["echo","imported"]',
      "--change",
      "ENV DISH=pie PATH=/bin",
      files,
      "own:1",
    );
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await output("run", "--rm", "own:1")).toBe("imported");
    expect(await output("history", "--format", "{{.Comment}}", "own:1")).toBe("a message");
    expect(JSON.parse(await output("image", "inspect", "own:1"))[0].Config).toEqual({
      Cmd: ["echo", "imported"],
      Env: ["DISH=pie", "PATH=/bin"],
    });
    const foreign = await output("import", "--platform", "linux/arm64", files);
    expect(JSON.parse(await output("image", "inspect", "--platform", "linux/arm64", foreign))[0]).toMatchObject({
      Architecture: "arm64",
      RepoTags: [],
    });
    const again = (await here().ramekin(["export-image", "own:1"])).bytes;
    expect(again.equals(await readFile(files))).toBe(true);
    expect(await here().ramekin(["import", "-c", "RUN make", files])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("RUN is not a valid change command"),
    });
    await output("rmi", "own:1", foreign);
  });

  test("[IMG-4] plain, gzip, zstd, xz and bzip2, from a pipe and from a URL; what is no tar is refused", async () => {
    const files = tar([
      { path: "etc", type: "directory" },
      { path: "etc/dish", content: "soup\n" },
    ]);
    const path = join(here().folder, "small.tar");
    await writeFile(path, files);
    await succeed(["sh", "-c", `gzip -k ${path} && zstd -q ${path} && xz -k ${path} && bzip2 -k ${path}`]);
    const served = createServer(async (request, response) => {
      if (request.url === "/moved") return void response.writeHead(302, { location: "/small" }).end();
      if (request.url !== "/small") return void response.writeHead(404).end();
      response.end(await readFile(`${path}.gz`));
    });
    await new Promise<void>((resolve) => served.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(served.address() as AddressInfo).port}`;
    try {
      const ids = [
        await output("import", path),
        await output("import", `${path}.gz`),
        await output("import", `${path}.zst`),
        await output("import", `${path}.xz`),
        await output("import", `${path}.bz2`),
        await output("import", `${url}/moved`),
      ];
      ids.push(await here().output(["import", "-"], { input: files }));
      // As umoci's insert ends: with the last file's content, without what fills up its block.
      ids.push(await here().output(["import", "-"], { input: files.subarray(0, files.lastIndexOf("soup\n") + 5) }));
      for (const id of ids) {
        expect((await succeed(["tar", "-xO", "etc/dish"], { input: (await here().ramekin(["export-image", id])).bytes })).stdout).toBe(
          "soup\n",
        );
      }
      expect(await output("history", "--format", "{{.Comment}}", ids[5] as string)).toBe(`Imported from ${url}/moved`);
      await output("rmi", ...new Set(ids));
      const nowhere = { env: { PATH: "/nonexistent" } };
      for (const [suffix, program] of [
        ["xz", "xz"],
        ["bz2", "bzip2"],
      ] as const) {
        const without = await here().ramekin(["import", `${path}.${suffix}`], nowhere);
        expect(without).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(new RegExp(`compressed with ${program}[\\s\\S]*\nhint: `)),
        });
        const cut = (await readFile(`${path}.${suffix}`)).subarray(0, 60);
        expect(await here().ramekin(["import", "-"], { input: cut })).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(`${program}: `),
        });
      }
      expect((await here().ramekin(["import", `${url}/nothing`])).code).toBe(1);
      expect((await here().ramekin(["import", "-"], { input: "no tar" })).code).toBe(1);
      expect((await here().ramekin(["import", "-"], { input: files.subarray(0, 700) })).code).toBe(1);
      expect((await here().ramekin(["import", join(here().folder, "absent")])).code).toBe(1);
    } finally {
      served.close();
    }
  });
});

test("[IMG-1] [history --quiet] [history --no-trunc] [history --human] [history --format] in Docker's columns", async () => {
  const lines = (await output("history", "busybox")).split("\n");
  expect(lines[0]?.split(/ {2,}/)).toEqual(["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
  expect(lines[2]).toMatch(/^<missing> +.+ ago +umoci repack +[\d.]+MB/);
  const id = await digestOf("busybox");
  expect((await output("history", "-q", "busybox")).split("\n")).toEqual([id.slice(7, 19), "<missing>"]);
  expect((await output("history", "-q", "--no-trunc", "busybox")).split("\n")[0]).toBe(id);
  const [, newest = "", oldest = ""] = (await output("history", "--human=false", "busybox")).split("\n");
  expect(newest).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +umoci config +0 /);
  expect(oldest).toMatch(/umoci repack +\d{6,} /);
  expect(JSON.parse((await output("history", "--format", "json", "busybox")).split("\n")[1] as string)).toMatchObject({
    ID: "<missing>",
    CreatedBy: "umoci repack",
  });
});

test("[IMG-1] [image prune --all] [image prune --filter] [image prune --force] [images --filter] what nobody uses", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  const file = join(fresh.folder, "files.tar");
  await writeFile(file, tar([{ path: "x", content: "x" }]));
  const label = ["-c", "LABEL keep=yes"];
  await fresh.output(["import", file]);
  await fresh.output(["import", ...label, file]);
  await fresh.output(["import", ...label, file, "named:1"]);
  await fresh.output(["create", "busybox"]);
  expect((await fresh.output(["images", "-aq", "--filter", "until=1s"])).split("\n").filter(Boolean).length).toBeGreaterThan(0);
  expect(await fresh.output(["images", "-aq", "--filter", "until=2000-01-01"])).toBe("");
  expect(await fresh.output(["image", "prune"], { input: "n\n" })).toContain("WARNING! This will remove all dangling images.");
  expect(await fresh.output(["image", "prune", "-f", "--filter", "until=24h"])).toBe("Total reclaimed space: 0B");
  expect(await fresh.output(["image", "prune", "-f", "--filter", "label!=keep"])).toMatch(
    /^Deleted Images:\n(deleted: sha256:[0-9a-f]{64}\n)+\nTotal reclaimed space: [1-9]/,
  );
  expect((await fresh.output(["images", "-aq"])).split("\n")).toHaveLength(3);
  expect(await fresh.output(["image", "prune", "--force"])).toContain("deleted: ");
  expect((await fresh.output(["images", "-aq"])).split("\n")).toHaveLength(2);
  expect(await fresh.output(["image", "prune", "--all", "--force"])).toContain("untagged: named:1");
  expect(await fresh.output(["images", "--format", "{{.Repository}}"])).toBe("busybox"); // a container uses it
});

test("[IMG-1] [image tree --whatrequires] layers, with the images that they belong to", async () => {
  const lines = (await output("image", "tree", "busybox")).split("\n");
  expect(lines[1]).toMatch(/^Tags: {5}\[.*\bbusybox:latest\b.*\]$/);
  expect(lines.at(-1)).toMatch(/^└── ID: [0-9a-f]{12} Size: .+ Top Layer of: \[.*busybox:latest.*\]$/);
  const above = await output("image", "tree", "--whatrequires", "busybox");
  expect(above).toMatch(/Top Layer of: \[.*layers-40:latest/);
  expect((await output("image", "tree")).split("\n").length).toBeGreaterThanOrEqual(40);
});

test("[IMG-9] [image diff --format] [image diff --platform] what an image changes over another", async () => {
  expect((await output("image", "diff", "layers-40")).split("\n")).toEqual(["C /layers", "A /layers/39", "C /layers/top"]);
  const all = (await output("image", "diff", "--platform", "linux/amd64", "layers-40", "busybox")).split("\n");
  expect(all).toHaveLength(41);
  expect(all).toContain("A /layers/top");
  expect(JSON.parse(await output("image", "diff", "--format", "json", "busybox", "layers-40")).deleted).toContain("/layers");
  expect(await output("image", "diff", "busybox", "busybox")).toBe("");
});

test("[IMG-9] [image mount --all] [image mount --format] [image unmount --all] read-only, in the caller's namespace, kept from removal", async () => {
  await using fresh = await kitchen({
    images: [await copyOf(await busyboxImage(), join(here().folder, "mounted")), await layeredImage(40)],
  });
  const { stdout } = await inNamespace(fresh, [
    "P=$(ramekin image mount busybox)",
    "Q=$(ramekin image mount busybox)",
    'test "$P" = "$Q" && echo same',
    "ls $P/bin/busybox >/dev/null && echo files",
    "touch $P/new 2>/dev/null || echo read-only",
    "ramekin image mount | grep -c '^busybox:latest  *'$P",
    "ramekin rmi -f busybox 2>&1 | grep -o 'is mounted'",
    "ramekin system prune -f >/dev/null && ls $P/bin/busybox >/dev/null && echo kept",
    "ramekin image mount --all --format json | grep -o mountpoint | wc -l",
    "ramekin image unmount busybox >/dev/null && test ! -e $P && echo gone",
    "ramekin image unmount busybox 2>&1 | grep -o 'is not mounted'",
    "ramekin image unmount --all | wc -l",
    "ramekin image mount | wc -l",
  ]);
  expect(stdout.trim().split("\n")).toEqual([
    "same",
    "files",
    "read-only",
    "1",
    "is mounted",
    "kept",
    "2",
    "gone",
    "is not mounted",
    "1",
    "0",
  ]);
  await fresh.output(["rmi", "busybox"]);
});

/** A shell in which `ramekin` is the command under test, in a mount namespace that ends with it. */
async function inNamespace({ env, command }: Awaited<ReturnType<typeof kitchen>>, lines: readonly string[]) {
  const define = `ramekin() { ${command.map((word) => `'${word}'`).join(" ")} "$@"; }`;
  return succeed(["unshare", "--mount", "--propagation", "private", "sh", "-c", [define, ...lines].join("\n")], { env, timeout: 120_000 });
}
