// What a registry or a person gets wrong: a message that names it, the right exit status, and a store that is as it was.
// A full disk and a store that cannot be written are in store.test.ts, accounts in accounts.test.ts, what lies in layouts in
// security/hostile-manifests.test.ts.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  authority,
  busyboxImage,
  dockerRegistry,
  faultProxy,
  kitchen,
  missing,
  noAuthority,
  noDockerRegistry,
  sha256,
  succeed,
  types,
  useKitchen,
} from "../support/index.ts";

const here = useKitchen(async () => ({}));

/** As `latest` and by its digest, as registries have it. */
const latest = (type: string, body: string) => ({ latest: { type, body }, [sha256(body)]: { type, body } });

/** A registry that has just these manifests (by tag or digest) and blobs (by digest), true or not. */
const registry = (manifests: Readonly<Record<string, { type: string; body: string }>>, blobs: Readonly<Record<string, string>> = {}) =>
  faultProxy(undefined, ({ url, method }) => {
    const name = url.slice(url.lastIndexOf("/") + 1);
    const manifest = url.includes("/manifests/") ? manifests[name] : undefined;
    const body = manifest?.body ?? (url.includes("/blobs/") ? blobs[name] : undefined);
    if (url.endsWith("/v2/")) return { status: 200 };
    if (body === undefined) return { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
    const headers = { "content-type": manifest?.type ?? "application/octet-stream", "content-length": String(Buffer.byteLength(body)) };
    return method === "HEAD" ? { status: 200, headers } : { status: 200, headers, body };
  });

async function refused(image: string, status: number, said: RegExp) {
  const { code, stderr } = await here().ramekin(["pull", image]);
  expect({ code, stderr }).toEqual({ code: status, stderr: expect.stringMatching(said) });
  expect(stderr).not.toMatch(/\n\s+at .*\.[jt]s:\d+|undefined/);
  expect(await here().output(["images", "-aq"])).toBe("");
  expect(await here().output(["system", "fsck"])).toContain("The store is sound.");
}

const config = JSON.stringify({
  os: "linux",
  architecture: process.arch === "x64" ? "amd64" : process.arch,
  rootfs: { type: "layers", diff_ids: [] },
});
const described = (body: string, more: object = {}) => ({
  mediaType: types.config,
  digest: sha256(body),
  size: Buffer.byteLength(body),
  ...more,
});
const manifest = (fields: object) =>
  JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config: described(config), layers: [], ...fields });
const layer = (body: string, more: object = {}) => ({
  mediaType: types.layer,
  digest: sha256(body),
  size: Buffer.byteLength(body),
  ...more,
});

test.each(["upper/CASE", "a:b:c", "-x/y", "name:", "https://registry.example/app", "a//b"])("%s is no reference", async (text) => {
  const { code, stderr } = await here().ramekin(["pull", "--", text]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(text) });
  expect((await here().ramekin(["run", "--rm", "--", text, "true"])).code).toBe(125);
  for (const verb of ["push", "rmi", "save"]) expect((await here().ramekin([verb, "--", text])).code, verb).toBe(1);
  expect((await here().ramekin(["tag", "busybox", text])).code).not.toBe(0);
  expect(await here().output(["images", "-aq"])).toBe("");
  expect(await here().output(["system", "fsck"])).toContain("The store is sound.");
});

test("a manifest that is no JSON", async () => {
  await using server = await registry(latest(types.manifest, "{"));
  await refused(`${server.host}/app`, 1, /\/app: the manifest is not json/);
});

test("a document of a kind that nobody knows", async () => {
  await using server = await registry(latest("application/x-mystery+json", "{}"));
  await refused(`${server.host}/app`, 1, /\/app: the manifest is invalid/);
});

test.each([
  ["another digest", { digest: sha256("something else") }],
  ["more bytes than it has", { size: 1000 }],
  ["fewer bytes than it has", { size: 3 }],
])("a layer for which the manifest gives %s", async (_, lie) => {
  const body = "these are no layer's bytes";
  const lying = layer(body, lie);
  const fitting = config.replace("[]", JSON.stringify([sha256(body)]));
  const image = manifest({ layers: [lying], config: described(fitting) });
  await using server = await registry(latest(types.manifest, image), { [sha256(fitting)]: fitting, [lying.digest]: body });
  await refused(`${server.host}/app`, 1, new RegExp(lying.digest));
});

test("an index that leads back to itself", async () => {
  const digest = sha256("the index");
  const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [{ mediaType: types.index, digest, size: 200 }] });
  await using server = await registry({ ...latest(types.index, index), [digest]: { type: types.index, body: index.padEnd(200) } });
  await refused(`${server.host}/app`, 1, new RegExp(digest));
});

test("a manifest or a configuration of ten megabytes", async () => {
  const long = manifest({ annotations: { long: "x".repeat(10 << 20) } });
  await using server = await registry(latest(types.manifest, long));
  await refused(`${server.host}/app`, 1, /the manifest of .*\/app:latest is larger than 4194304 bytes/);
  const huge = config.padEnd(10 << 20);
  await using other = await registry(latest(types.manifest, manifest({ config: described(huge) })), { [sha256(huge)]: huge });
  await refused(`${other.host}/app`, 1, new RegExp(`${sha256(huge)} has 10485760 bytes, the limit is 4194304`));
});

test("a layer of a kind that nobody knows", async () => {
  const body = "a mystery";
  const unknown = layer(body, { mediaType: "application/x-mystery" });
  const fitting = config.replace("[]", JSON.stringify([sha256(body)]));
  const image = manifest({ layers: [unknown], config: described(fitting) });
  await using server = await registry(latest(types.manifest, image), { [sha256(fitting)]: fitting, [unknown.digest]: body });
  await refused(`${server.host}/app`, 1, new RegExp(`${unknown.digest} is application/x-mystery`));
});

test("a foreign layer, which is to be had elsewhere", async () => {
  const foreign = layer("a layer of Windows", {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    urls: ["https://vendor.example/layer"],
  });
  const fitting = config.replace("[]", JSON.stringify([sha256("a diff id")]));
  const image = manifest({ layers: [foreign], config: described(fitting) });
  await using server = await registry(latest(types.manifest, image), { [sha256(fitting)]: fitting });
  await refused(`${server.host}/app`, 1, new RegExp(`${foreign.digest} is a foreign layer[\\s\\S]*hint: .*https://vendor\\.example/layer`));
});

test("a manifest of docker schema 1", async () => {
  const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  await using server = await registry(latest(type, JSON.stringify({ schemaVersion: 1, name: "app", fsLayers: [], signatures: [] })));
  await refused(`${server.host}/app`, 1, /\/app:latest is a manifest of docker schema 1\nhint: .*push the image again/);
});

test("an index whose manifest has another digest, or another size", async () => {
  const image = manifest({});
  for (const lie of [{ digest: sha256("something else") }, { size: 7 }]) {
    const entry = { ...described(image), mediaType: types.manifest, platform: { os: "linux", architecture: "amd64" }, ...lie };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [entry] });
    const there = { ...latest(types.index, index), [entry.digest]: { type: types.manifest, body: image } };
    await using server = await registry(there, { [sha256(config)]: config });
    await refused(`${server.host}/app`, 1, new RegExp(entry.digest));
  }
});

test("wrong credentials, for what is pulled and for what is pushed", async (context) => {
  const absent = noDockerRegistry ?? missing("htpasswd");
  if (absent !== undefined) return context.skip(absent);
  const { stdout: htpasswd } = await succeed(["htpasswd", "-nbB", "alice", "right"]);
  await using server = await dockerRegistry({ htpasswd });
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  const name = `${server.host}/app:1`;
  await fresh.output(["tag", "busybox", name]);
  await fresh.output(["push", "--creds", "alice:right", name]);
  await fresh.output(["rmi", name]);
  const kept = async () => (await fresh.traces()).filter((path) => /\/(blobs|ingest|leases|spool|used|l)\/./.test(path));
  const before = await kept();
  for (const [verb, image] of [
    ["pull", name],
    ["push", "busybox"],
  ] as const) {
    if (verb === "push") await fresh.output(["tag", "busybox", name]);
    const { code, stderr } = await fresh.ramekin([verb, "--creds", "alice:wrong", verb === "push" ? name : image]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^ramekin: .*app[\s\S]*\nhint: .*ramekin login/) });
    expect(stderr).not.toMatch(/wrong|undefined|\n\s+at /);
    if (verb === "push") await fresh.output(["rmi", name]);
    expect(await fresh.output(["system", "fsck"])).toContain("The store is sound.");
    expect(await kept()).toEqual(before);
  }
  await fresh.output(["pull", "-q", "--creds", "alice:right", name]);
});

test("a certificate that has expired", async (context) => {
  const absent = noDockerRegistry ?? noAuthority;
  if (absent !== undefined) return context.skip(absent);
  await using ca = await authority();
  await using server = await dockerRegistry({ tls: await ca.issue("expired", { days: -1 }) });
  const folder = join(here().folder, "home/.config/containers/certs.d", server.host);
  await mkdir(folder, { recursive: true });
  await copyFile(ca.certificate, join(folder, "ca.crt"));
  await refused(`${server.host}/app`, 1, /its certificate has expired\nhint: .*certificate/);
  const login = await here().ramekin(["login", "-u", "alice", "-p", "x", server.host]);
  expect(login).toMatchObject({ code: 1, stderr: expect.stringContaining("its certificate has expired") });
});

test("no such tag, no such repository, no such host", async () => {
  await using server = await registry({});
  await refused(`${server.host}/app:missing`, 1, /app:missing/);
  await refused("no-such-host.invalid/app", 1, /no-such-host\.invalid[\s\S]*hint: /);
  await refused("127.0.0.1:1/app", 1, /127\.0\.0\.1:1[\s\S]*hint: /);
});
