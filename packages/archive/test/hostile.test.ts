import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageSource } from "@ramekin/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archiveFiles, dockerSource, folderFiles, layoutSource, type TarHeader, tarEnd, tarHeader, tarPadding } from "../src/index.ts";
import { codec, digester, digestFor } from "./parts.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ramekin-archive-"));
  await writeFile(join(root, "secret"), "a secret of the host");
});
afterEach(() => rm(root, { recursive: true, force: true }));

type Entry = Partial<TarHeader> & { readonly name: string; readonly content?: string };

const tar = (...entries: readonly Entry[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap(({ content = "", ...header }) => {
      const bytes = Buffer.from(content);
      return [tarHeader({ type: "0", size: bytes.byteLength, ...header }), bytes, tarPadding(bytes.byteLength)];
    }),
    tarEnd,
  ]);

const once = async function* (bytes: Uint8Array) {
  yield bytes;
};
const open = (...entries: readonly Entry[]) => archiveFiles(once(tar(...entries)), { directory: join(root, "spool"), codec });
const docker = async (...entries: readonly Entry[]): Promise<ImageSource> => dockerSource(await open(...entries), { digester });

const layer = tar({ name: "file", content: "x" });
const config = JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestFor(layer)] } });
const manifest = (layers: readonly string[], more: object = {}) =>
  JSON.stringify([{ Config: "config.json", RepoTags: ["debian:12"], Layers: layers, ...more }]);
const entries = (...layers: readonly Entry[]): Entry[] => [
  { name: "config.json", content: config },
  { name: "manifest.json", content: manifest(["layer.tar"]) },
  ...layers,
];

/** All bytes of all blobs of all images. */
async function readAll(source: ImageSource): Promise<string> {
  let text = "";
  for (const descriptor of await source.roots()) {
    let manifest = "";
    for await (const chunk of source.blob(descriptor)) manifest += Buffer.from(chunk).toString();
    const { layers, config } = JSON.parse(manifest);
    for (const blob of [config, ...layers]) for await (const chunk of source.blob(blob)) text += Buffer.from(chunk).toString("latin1");
  }
  return text;
}

test("docker archives as they should be", async () => {
  await using source = await docker(...entries({ name: "layer.tar", content: layer.toString("latin1") }));
  const [found] = await source.roots();
  expect(found?.annotations).toEqual({ "org.opencontainers.image.ref.name": "docker.io/library/debian:12" });
  expect(await readAll(source)).toContain(config);
});

test("old archives have layers as links to each other", async () => {
  await using source = await docker(
    ...entries(
      { name: "layer.tar", type: "2", linkname: "a/b/layer.tar" },
      { name: "a/b/layer.tar", type: "2", linkname: "../../other.tar" },
      { name: "./other.tar", content: layer.toString("latin1") },
    ),
  );
  expect(await readAll(source)).toContain("file");
});

test.for<[string, () => Entry]>([
  ["an absolute link", () => ({ name: "layer.tar", type: "2", linkname: join(root, "secret") })],
  ["a link with ..", () => ({ name: "layer.tar", type: "2", linkname: `${"../".repeat(30)}${root}/secret` })],
  ["a hard link outside", () => ({ name: "layer.tar", type: "1", linkname: `${"../".repeat(30)}${root}/secret` })],
  ["an absolute hard link", () => ({ name: "layer.tar", type: "1", linkname: join(root, "secret") })],
  ["a link to itself", () => ({ name: "layer.tar", type: "2", linkname: "layer.tar" })],
  ["a device", () => ({ name: "layer.tar", type: "3", major: 1, minor: 5 })],
  ["a folder", () => ({ name: "layer.tar/", type: "5" })],
  ["a name that leads out", () => ({ name: "../layer.tar", content: "x" })],
])("a layer that is %s is refused", async ([, entry]) => {
  await expect(docker(...entries(entry()))).rejects.toMatchObject({
    name: "RamekinError",
    code: expect.stringMatching(/DATA_LOSS|NOT_FOUND/),
  });
});

test.for(["/etc/passwd", "../../../../etc/passwd", "config.json/../../../etc/passwd", ""])(
  "manifest.json naming %j as config reads nothing of the host",
  async (name) => {
    await expect(docker({ name: "manifest.json", content: manifest([], { Config: name }) })).rejects.toMatchObject({
      name: "RamekinError",
    });
  },
);

test.for([
  "",
  "null",
  "{}",
  "[1]",
  '[{"Config":1}]',
  '[{"Config":"config.json","Layers":"x"}]',
  '[{"Config":"config.json","Layers":[null]}]',
  "[".repeat(100_000),
])("manifest.json with %j is corrupt", async (content) => {
  await expect(docker({ name: "config.json", content: config }, { name: "manifest.json", content })).rejects.toMatchObject({
    code: "DATA_LOSS",
  });
});

test("huge documents are not read", async () => {
  const huge = " ".repeat((16 << 20) + 1);
  await expect(docker({ name: "manifest.json", content: huge })).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  await expect(docker({ name: "manifest.json", content: manifest(["a"]) }, { name: "config.json", content: huge })).rejects.toMatchObject({
    code: "RESOURCE_EXHAUSTED",
  });
  await expect(open({ name: "oci-layout", content: huge }).then(layoutSource)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});

test("a config and a manifest that disagree are corrupt", async () => {
  await expect(
    docker({ name: "config.json", content: config }, { name: "manifest.json", content: manifest(["a", "b"]) }),
  ).rejects.toMatchObject({ code: "DATA_LOSS" });
});

test("entries of impossible size, and headers without end, are corrupt", async () => {
  for (const size of ["99999999999999999999", "-1", "1e9", "9007199254740991"]) {
    await expect(open({ name: "a", content: "x", pax: { size } })).rejects.toMatchObject({ code: "DATA_LOSS" });
  }
  const long = tarHeader({ name: "x", type: "0", size: 2 << 20 });
  long[156] = "x".charCodeAt(0);
  await expect(archiveFiles(once(long), { directory: root, codec })).rejects.toMatchObject({ code: "DATA_LOSS" });
});

test("a stream leaves no file behind, whether it is an archive or not", async () => {
  await (await docker(...entries({ name: "layer.tar", content: layer.toString("latin1") })))[Symbol.asyncDispose]();
  await expect(archiveFiles(once(Buffer.from("no archive")), { directory: join(root, "spool"), codec })).rejects.toThrow();
  expect(await readdir(join(root, "spool"))).toEqual([]);
});

const layout = async (): Promise<string> => {
  const directory = join(root, "layout");
  await mkdir(join(directory, "blobs/sha256"), { recursive: true });
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, "index.json"), '{"schemaVersion":2,"manifests":[]}');
  return directory;
};

async function read(source: ImageSource, digest: string, size: number): Promise<void> {
  for await (const _ of source.blob({ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digest as never, size }));
}

test("blobs of a layout may be links inside of it, and not out of it", async () => {
  const directory = await layout();
  const [inside, outside] = [digestFor(Buffer.from("inside")), digestFor(Buffer.from("a secret of the host"))];
  await writeFile(join(directory, "elsewhere"), "inside");
  await symlink("../../elsewhere", join(directory, "blobs/sha256", inside.slice(7)));
  await symlink(join(root, "secret"), join(directory, "blobs/sha256", outside.slice(7)));
  await using source = await layoutSource(await folderFiles(directory));
  await read(source, inside, 6);
  await expect(read(source, outside, 20)).rejects.toMatchObject({ code: "DATA_LOSS" });
});

test.for(["oci-layout", "index.json"])("%s may not be a link out of the layout, nor a pipe", async (name) => {
  const directory = await layout();
  await rm(join(directory, name));
  await symlink(join(root, "secret"), join(directory, name));
  await expect(folderFiles(directory).then(layoutSource)).rejects.toMatchObject({
    code: "DATA_LOSS",
    message: expect.stringContaining("leads out"),
  });
  await rm(join(directory, name));
  execFileSync("mkfifo", [join(directory, name)]);
  await expect(folderFiles(directory).then(layoutSource)).rejects.toMatchObject({
    code: "DATA_LOSS",
    message: expect.stringContaining("regular file"),
  });
});

test("a layout of another version is unsupported", async () => {
  const directory = await layout();
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
  await expect(folderFiles(directory).then(layoutSource)).rejects.toMatchObject({ code: "UNSUPPORTED" });
});

test("a blob of another size than its descriptor's is corrupt, and no digest names a file outside", async () => {
  const directory = await layout();
  const digest = digestFor(Buffer.from("blob"));
  await writeFile(join(directory, "blobs/sha256", digest.slice(7)), "blob");
  await using source = await layoutSource(await folderFiles(directory));
  await expect(read(source, digest, 3)).rejects.toMatchObject({ code: "DATA_LOSS" });
  await expect(read(source, "sha256:../../index.json", 3)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});
