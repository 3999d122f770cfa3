// What is no container image, and what has digests of another kind.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  busyboxImage,
  busyboxTar,
  dockerRegistry,
  faultProxy,
  kitchen,
  layout,
  named,
  noDockerRegistry,
  noKitchen,
  ociRegistry,
  succeed,
  tar,
  types,
  useKitchen,
} from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }), noDockerRegistry);
const output = (...args: string[]) => here().output(args);

/** An artifact about `subject` (OCI image spec 1.1, manifest.md), as a layout. */
async function artifact(folder: string, subject: object, artifactType: string, text: string) {
  const at = await layout(folder);
  const empty = { ...(await at.blob("application/vnd.oci.empty.v1+json", "{}")), data: "e30=" };
  const manifest = await at.json(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    artifactType,
    config: empty,
    layers: [await at.blob("text/plain", text)],
    subject,
    annotations: { "org.example.note": text },
  });
  await at.index([manifest]);
  return manifest;
}

describe.each([
  ["one with the referrers API", async () => ociRegistry()],
  ["one without", async () => dockerRegistry()],
] as const)("[REG-4] [API-5] artifacts in %s", (_, open) => {
  let server: ({ readonly host: string } & AsyncDisposable) | undefined;
  let absent: string | undefined;
  beforeAll(async () => {
    if (noKitchen ?? noDockerRegistry) return;
    const opened = await open();
    if (typeof opened === "string") absent = opened;
    else server = opened;
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test("are pushed, listed by what they are about, pulled elsewhere and removed", async (context) => {
    if (absent !== undefined) return context.skip(absent);
    const app = `${server?.host}/app`;
    await output("tag", "busybox", `${app}:1`);
    await output("push", "-q", `${app}:1`);
    const [{ Id: digest, Manifest: document }] = JSON.parse(await output("image", "inspect", "busybox"));
    const subject = { mediaType: document.mediaType ?? types.manifest, digest, size: Number(await sizeOf(digest)) };
    expect(await output("referrers", "-q", `${app}:1`)).toBe("");
    const made = [];
    for (const kind of ["signature", "sbom"]) {
      const folder = join(here().folder, `${kind}-${server?.host.replace(":", "-")}`);
      const manifest = await artifact(folder, subject, `application/vnd.example.${kind}`, `a ${kind}`);
      await output("load", "-q", "-i", folder);
      await output("tag", manifest.digest, `${app}:${kind}`);
      await output("push", "-q", `${app}:${kind}`);
      made.push(manifest.digest);
    }
    expect((await output("referrers", "-q", `${app}:1`)).split("\n").sort()).toEqual([...made].sort());
    expect(
      await output(
        "referrers",
        "--format",
        '{{.ArtifactType}} {{.Annotation "org.example.note"}}',
        "--artifact-type",
        "application/vnd.example.sbom",
        `${app}:1`,
      ),
    ).toBe("application/vnd.example.sbom a sbom");
    await using other = await kitchen();
    await other.output(["pull", "-q", `${app}@${made[0]}`]);
    expect(await other.output(["images", "-aq", "--no-trunc"])).toBe(made[0]);
    expect((await other.ramekin(["run", "--rm", `${app}@${made[0]}`, "true"])).code).toBe(125);
    expect(await other.output(["system", "fsck"])).toContain("The store is sound.");
    await other.output(["rmi", made[0] as string]);
    expect((await other.traces()).filter((path) => /blobs\/sha256\/[0-9a-f]/.test(path))).toEqual([]);
    await output("rmi", `${app}:1`, ...made);
  });
});

/** As the store has it. */
async function sizeOf(digest: string): Promise<number> {
  const { stat } = await import("node:fs/promises");
  return (await stat(join(here().root, "images/blobs", digest.replace(":", "/")))).size;
}

describe("[IMG-5] sha512", () => {
  const sha512 = (bytes: Uint8Array | string) => `sha512:${createHash("sha512").update(bytes).digest("hex")}`;
  const described = (mediaType: string, bytes: Uint8Array | string) => ({
    mediaType,
    digest: sha512(bytes),
    size: Buffer.byteLength(bytes),
  });
  /** Blobs by digest, and the manifest's descriptor. */
  const imageOf = (files: Uint8Array, layer: Uint8Array, layerType: string) => {
    const rootfs = { type: "layers", diff_ids: [sha512(files)] };
    const config = JSON.stringify({ os: "linux", architecture: "amd64", config: { Env: ["PATH=/bin"] }, rootfs });
    const parts = { config: described(types.config, config), layers: [described(layerType, layer)] };
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, ...parts });
    const blobs = new Map([config, layer, manifest].map((bytes) => [sha512(bytes), bytes]));
    return { blobs, root: described(types.manifest, manifest) };
  };

  const put = async (folder: string, blobs: ReadonlyMap<string, Uint8Array | string>) => {
    await mkdir(join(folder, "blobs/sha512"), { recursive: true });
    for (const [digest, bytes] of blobs) await writeFile(join(folder, "blobs", digest.replace(":", "/")), bytes);
  };

  test("an image whose digests all are: loaded, run, checked, saved", async () => {
    const folder = join(here().folder, "sha512");
    const at = await layout(folder);
    const files = await busyboxTar();
    const { blobs, root } = imageOf(files, gzipSync(files, { level: 1 }), types.layer);
    await put(folder, blobs);
    await at.index([named(root, "docker.io/library/long:1")]);

    await output("load", "-q", "-i", folder);
    expect(await output("images", "-q", "--no-trunc", "long:1")).toBe(root.digest);
    expect(await output("run", "--rm", "long:1", "echo", "runs")).toBe("runs");
    expect(JSON.parse(await output("image", "inspect", "long:1"))[0].RootFS.Layers).toEqual([sha512(files)]);
    expect(await output("system", "fsck")).toContain("The store is sound.");
    await output("save", "-o", join(here().folder, "long.tar"), "long:1");
    await using other = await kitchen();
    await other.output(["load", "-q", "-i", join(here().folder, "long.tar")]);
    expect(await other.output(["images", "-q", "--no-trunc"])).toBe(root.digest);
    await output("rmi", "long:1");
  });

  test("[REG-1] blobs of such digests are pushed, the second time none; a manifest's own digest only where the registry knows it", async () => {
    await using registry = await dockerRegistry();
    const name = `${registry.host}/long:1`;
    const files = [await busyboxTar(), tar([{ path: "large", content: randomBytes(3 << 19).toString("hex") }])];
    const layers = files.map((bytes) => gzipSync(bytes, { level: 1 }));
    const rootfs = { type: "layers", diff_ids: files.map(sha512) };
    const config = JSON.stringify({ os: "linux", architecture: "amd64", config: { Env: ["PATH=/bin"] }, rootfs });
    const parts = { config: described(types.config, config), layers: layers.map((layer) => described(types.layer, layer)) };
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, ...parts });
    const folder = join(here().folder, "pushed");
    const at = await layout(folder);
    const known = await at.blob(types.manifest, manifest);
    const unknown = described(types.manifest, manifest);
    await put(folder, new Map([config, manifest, ...layers].map((bytes) => [sha512(bytes), bytes])));
    await at.index([named(known, name), named(unknown, `${registry.host}/longer:1`)]);
    await output("load", "-q", "-i", folder);

    expect((await output("push", name)).match(/: Pushed/g)).toHaveLength(2);
    expect((await output("push", name)).match(/: Layer already exists/g)).toHaveLength(2);
    await using other = await kitchen();
    expect(await other.output(["pull", "-q", name])).toBe(name);
    expect(await other.output(["images", "-q", "--no-trunc"])).toBe(known.digest);
    expect(await other.output(["run", "--rm", name, "wc", "-c", "/large"])).toBe(`${3 << 20} /large`);
    expect(await other.output(["system", "fsck"])).toContain("The store is sound.");

    const refused = await here().ramekin(["push", "-q", `${registry.host}/longer:1`]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`${unknown.digest} of ${registry.host}/longer: registry ${registry.host} answers 400`);
    expect(refused.stderr).toContain("hint: many registries know manifests by sha256 alone");
    await output("push", "-q", "--compression", "zstd:1", `${registry.host}/longer:1`);
    expect(await other.output(["run", "--rm", `${registry.host}/longer:1`, "echo", "runs"])).toBe("runs");
    await output("rmi", name, `${registry.host}/longer:1`);
  });

  // No registry of these tests lets itself be given a manifest by such a digest: one that has it all the same.
  test("is pulled and unpacked; files that are not those of the diff id are refused, and nothing stays", async () => {
    const files = tar([{ path: "dish", content: "soup" }]);
    const [right, wrong] = [files, tar([{ path: "dish", content: "pie" }])].map((those) =>
      imageOf(those, files, "application/vnd.oci.image.layer.v1.tar"),
    );
    for (const image of [right, wrong]) {
      await using server = await faultProxy(undefined, ({ url, method }) => {
        if (url.endsWith("/v2/")) return { status: 200 };
        const name = url.slice(url.lastIndexOf("/") + 1);
        const body = `${Buffer.from(image?.blobs.get(name === "latest" ? (image?.root.digest ?? "") : name) ?? "")}`;
        const type = url.includes("/manifests/") ? types.manifest : "application/octet-stream";
        const headers = { "content-type": type, "content-length": `${body.length}`, "docker-content-digest": image?.root.digest ?? "" };
        return body === "" ? { status: 404 } : { status: 200, headers, ...(method === "GET" && { body }) };
      });
      await using fresh = await kitchen();
      const { code, stderr } = await fresh.ramekin(["pull", "-q", `${server.host}/long`]);
      if (image === right) {
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        const { bytes } = await fresh.ramekin(["export-image", `${server.host}/long`]);
        expect((await succeed(["tar", "-xO", "dish"], { input: bytes })).stdout).toBe("soup");
      } else {
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("the image's config says sha512:") });
        expect(await fresh.output(["images", "-aq"])).toBe("");
      }
      expect(await fresh.output(["system", "fsck"])).toContain("The store is sound.");
    }
  });

  test("what lies about one is found", async () => {
    const folder = join(here().folder, "lying");
    await mkdir(join(folder, "blobs/sha512"), { recursive: true });
    await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const hex = createHash("sha512").update("something else").digest("hex");
    await writeFile(join(folder, "blobs/sha512", hex), "{}");
    await writeFile(
      join(folder, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: types.manifest, digest: `sha512:${hex}`, size: 2 }] }),
    );
    const { code, stderr } = await here().ramekin(["load", "-i", folder]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`sha512:${hex}`) });
  });
});
