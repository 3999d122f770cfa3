import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { busyboxImage, faultProxy, image, type Layout, layout, named, sha256, tar, types, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
let number = 0;

/** A layout by `write`; what `load` says of it, which has to come soon, with a message for people, and to leave nothing. */
async function load(write: (at: Layout) => Promise<readonly unknown[]>) {
  const before = await here().output(["images", "-a", "-q", "--no-trunc"]);
  const at = await layout(join(here().folder, `layout-${++number}`));
  await at.index(await write(at));
  const result = await here().ramekin(["load", "-i", at.folder], { timeout: 60_000 });
  expect(result.stderr).not.toMatch(/\n\s+at .*\.[jt]s:\d+/);
  expect(result.stderr).not.toContain("undefined");
  if (result.code !== 0) expect(await here().output(["images", "-a", "-q", "--no-trunc"])).toBe(before);
  return result;
}

const good = (at: Layout) => image(at, { tars: [tar([{ path: "x", content: "x" }])], config: { Cmd: ["/x"] } });
const manifest = (at: Layout, fields: Readonly<Record<string, unknown>>) =>
  at.json(types.manifest, { schemaVersion: 2, mediaType: types.manifest, ...fields });

test("the writer that these tests spoil writes a right layout", async () => {
  expect(await load(async (at) => [named(await good(at), "docker.io/library/good:latest")])).toMatchObject({ code: 0 });
  await here().output(["rmi", "good"]);
});

test.each(["sha256:../../../canary", "../../canary", "sha256:", `sha256:${"A".repeat(64)}`, `md5:${"0".repeat(32)}`, "sha256:/etc/passwd"])(
  "[CVE-2024-3727] a digest of %j in the index",
  async (digest) => {
    await mkdir(join(here().folder, "canary"), { recursive: true });
    expect((await load(async (at) => [named({ ...(await good(at)), digest }, "evil:latest")])).code).toBe(1);
  },
);

test.each(["config", "layers"])("[CVE-2024-3727] a digest that is a path, in the manifest's %s", async (field) => {
  const wrong = { mediaType: types.config, digest: "sha256:../../../../../../etc/passwd", size: 10 };
  const result = await load(async (at) => {
    const config = await at.json(types.config, { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } });
    return [named(await manifest(at, { config, layers: [], [field]: field === "config" ? wrong : [wrong] }), "evil:latest")];
  });
  expect(result.code).toBe(1);
});

test("[CVE-2021-41190] bytes that are a manifest and an index", async () => {
  const result = await load(async (at) => {
    const inner = await good(at);
    const config = await at.json(types.config, { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } });
    return [named(await manifest(at, { config, layers: [], manifests: [inner] }), "evil:latest")];
  });
  expect(result.code).toBe(1);
});

test("[CVE-2021-41190] a manifest that its descriptor calls an index", async () => {
  const result = await load(async (at) => [named({ ...(await good(at)), mediaType: types.index }, "evil:latest")]);
  expect(result.code).toBe(1);
});

test("an index in an index, fifty deep", async () => {
  const result = await load(async (at) => {
    let inner = await good(at);
    for (let depth = 0; depth < 50; depth++)
      inner = await at.json(types.index, { schemaVersion: 2, mediaType: types.index, manifests: [inner] });
    return [named(inner, "evil:latest")];
  });
  expect(result.code).toBe(1);
});

test("a manifest of more than ten thousand layers", async () => {
  const begin = Date.now();
  const result = await load(async (at) => {
    const layer = await at.blob(types.layer, gzipSync(tar([{ path: "x" }])));
    const config = await at.json(types.config, {
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: Array(10_001).fill(sha256("x")) },
    });
    return [named(await manifest(at, { config, layers: Array(10_001).fill(layer) }), "evil:latest")];
  });
  expect(result.code).toBe(1);
  expect(Date.now() - begin).toBeLessThan(30_000);
});

test.each([
  "null",
  "[]",
  "{}",
  '"x"',
  "",
  "{",
  '{"schemaVersion":2}',
  '{"schemaVersion":2,"config":null,"layers":null}',
  `{"a":${"[".repeat(100_000)}`,
])("a manifest of %.40s", async (text) => {
  expect((await load(async (at) => [named(await at.blob(types.manifest, text), "evil:latest")])).code).toBe(1);
});

test.each(["null", "[]", '{"rootfs":null}', '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["x"]}}'])(
  "a configuration of %s is refused at the latest when it should run",
  async (text) => {
    const result = await load(async (at) => {
      const config = await at.blob(types.config, text);
      return [named(await manifest(at, { config, layers: [] }), "docker.io/library/evil:latest")];
    });
    if (result.code !== 0) return;
    const run = await here().ramekin(["run", "--rm", "--pull", "never", "evil", "true"]);
    expect([125, 127]).toContain(run.code);
    expect(run.stderr).not.toMatch(/\n\s+at .*\.[jt]s:\d+/);
    await here().output(["rmi", "-f", "evil"]);
  },
);

test("layers that are not what the configuration says (diff ids)", async () => {
  const result = await load(async (at) => [
    named(
      await image(at, { tars: [tar([{ path: "x", content: "x" }])], diffIDs: [sha256("something else")] }),
      "docker.io/library/evil:latest",
    ),
  ]);
  const run = result.code === 0 ? await here().ramekin(["run", "--rm", "--pull", "never", "evil", "true"]) : result;
  expect(run.code).not.toBe(0);
  expect(run.stderr).toMatch(/config says/);
  if (result.code === 0) await here().output(["rmi", "-f", "evil"]);
});

test("a registry that serves a manifest without end", async () => {
  await using server = await faultProxy(undefined, ({ url, method }) => {
    if (!url.includes("/manifests/")) return undefined;
    const headers = { "content-type": types.manifest };
    return method === "HEAD" ? { status: 200, headers } : { status: 200, headers, body: " ".repeat(16 << 20) };
  });
  const { code, stderr } = await here().ramekin(["pull", `${server.host}/endless`]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${4 << 20}`) });
});

test("an index.json that is no JSON, or not there", async () => {
  const folder = join(here().folder, "nothing");
  await mkdir(folder);
  expect((await here().ramekin(["load", "-i", folder])).code).toBe(1);
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, "index.json"), "{");
  expect((await here().ramekin(["load", "-i", folder])).code).toBe(1);
});
