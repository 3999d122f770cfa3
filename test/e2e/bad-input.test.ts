// What a registry or a person gets wrong: a message that names it, the right exit status, and a store that is as it was.
// A full disk and a store that cannot be written are in store.test.ts, accounts in accounts.test.ts, what lies in layouts in
// security/hostile-manifests.test.ts.
import { expect, test } from "vitest";
import { faultProxy, sha256, types, useKitchen } from "../support/index.ts";

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

test("no such tag, no such repository, no such host", async () => {
  await using server = await registry({});
  await refused(`${server.host}/app:missing`, 1, /app:missing/);
  await refused("no-such-host.invalid/app", 1, /no-such-host\.invalid[\s\S]*hint: /);
  await refused("127.0.0.1:1/app", 1, /127\.0\.0\.1:1[\s\S]*hint: /);
});
