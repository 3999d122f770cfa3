import type { Descriptor, Reference, RegistryClient } from "@ramekin/core";
import { mediaTypes, parseReference } from "@ramekin/oci";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { distributionRegistry } from "../src/index.ts";
import { referrersTag } from "../src/referrers.ts";
import { type Blob, blob, json, list, push, pushImage } from "./support/blobs.ts";
import { dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { faultProxy } from "./support/fault-proxy.ts";
import { ociRegistry } from "./support/ociregistry.ts";

const client = () => distributionRegistry({ credentials: async () => undefined, retry: { delay: 1 } });
const withApi = await ociRegistry();
afterAll(async () => {
  if (typeof withApi !== "string") await withApi[Symbol.asyncDispose]();
});
const noApi = typeof withApi === "string" ? withApi : undefined;

const emptyConfig = blob("{}", "application/vnd.oci.empty.v1+json");

/** An artifact about `subject`, pushed. */
async function attach(registry: RegistryClient, at: Reference, subject: Descriptor, artifactType: string, about: string): Promise<Blob> {
  const content = blob(`${artifactType} ${about}`, "text/plain");
  const manifest = json(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: emptyConfig.descriptor,
      layers: [content.descriptor],
      subject,
      annotations: { about },
    },
    mediaTypes.manifest,
  );
  for (const part of [emptyConfig, content, manifest]) await push(registry, at, part);
  return manifest;
}

describe.each([
  ["the referrers API", async () => ({ host: typeof withApi === "string" ? "" : withApi.host, async [Symbol.asyncDispose]() {} }), noApi],
  ["the tag schema, where a registry has no such API", dockerRegistry, noDockerRegistry],
] as const)("[REG-4] %s", (name, open, reason) => {
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });

  test("[API-6] what is pushed with a subject is listed, with type and annotations, filtered when asked", async () => {
    await using server = await open();
    const registry = client();
    const at = parseReference(`${server.host}/app-${Date.now()}:v1`);
    const image = await pushImage(registry, at, name);
    expect(await list(registry.referrers!(at, image.descriptor))).toEqual([]);
    const signature = await attach(registry, at, image.descriptor, "application/x.signature", "first");
    const sbom = await attach(registry, at, image.descriptor, "application/x.sbom", "second");
    const all = await list(registry.referrers!(at, image.descriptor));
    expect(all.map(({ digest }) => digest).sort()).toEqual([signature.descriptor.digest, sbom.descriptor.digest].sort());
    expect(await list(registry.referrers!(at, image.descriptor, { artifactType: "application/x.sbom" }))).toEqual([
      { ...sbom.descriptor, artifactType: "application/x.sbom", annotations: { about: "second" } },
    ]);
    expect(await list(registry.referrers!(at, blob("never pushed").descriptor))).toEqual([]);
    // Pushed again, nothing is listed twice.
    await push(registry, at, sbom);
    expect(await list(registry.referrers!(at, image.descriptor))).toHaveLength(2);
    // What was deleted is no referrer any more.
    await registry.delete!(at, sbom.descriptor);
    expect((await list(registry.referrers!(at, image.descriptor))).map(({ digest }) => digest)).toEqual([signature.descriptor.digest]);
    const fallback = (await list(registry.tags!(at))).includes(referrersTag(image.descriptor.digest));
    expect(fallback).toBe(open === dockerRegistry);
  });
});

test("[REG-4] the tag schema has no lock: of clients that enter or remove referrers at once, none undoes what another did", async (context) => {
  if (noDockerRegistry !== undefined) return context.skip(noDockerRegistry);
  await using server = await dockerRegistry();
  const ours = client();
  for (let round = 0; round < 2; round++) {
    const at = parseReference(`${server.host}/app-${round}:v1`);
    const image = await pushImage(ours, at, "one");
    const gone = await attach(ours, at, image.descriptor, "application/x.gone", "first");
    const attached = await Promise.all([
      ...["a", "b", "c"].map((each) => attach(client(), at, image.descriptor, "application/x.note", each)),
      client().delete!(at, gone.descriptor).then(() => undefined),
    ]);
    const listed = (await list(ours.referrers!(at, image.descriptor))).map(({ digest }) => digest);
    expect(listed.sort(), `round ${round}`).toEqual(attached.flatMap((each) => each?.descriptor.digest ?? []).sort());
  }
});

test("[REG-4] a referrer that somebody deleted without a word is in nobody's way", async (context) => {
  if (noDockerRegistry !== undefined) return context.skip(noDockerRegistry);
  await using server = await dockerRegistry();
  const registry = client();
  const at = parseReference(`${server.host}/app:v1`);
  const image = await pushImage(registry, at, "one");
  const gone = await attach(registry, at, image.descriptor, "application/x.gone", "first");
  expect((await fetch(`http://${server.host}/v2/app/manifests/${gone.descriptor.digest}`, { method: "DELETE" })).status).toBe(202);
  const note = await attach(registry, at, image.descriptor, "application/x.note", "second");
  expect((await list(registry.referrers!(at, image.descriptor))).map(({ digest }) => digest)).toEqual([note.descriptor.digest]);
});

describe("[REG-4] lists of referrers", () => {
  const subject = blob("subject", mediaTypes.manifest).descriptor;
  const entries = ["a", "b", "c"].map((each) => ({ ...blob(each, mediaTypes.manifest).descriptor, artifactType: `application/x.${each}` }));
  const page = (manifests: readonly Descriptor[]) => JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const ask = (host: string, artifactType?: string) =>
    list(client().referrers!(parseReference(`${host}/app`), subject, artifactType === undefined ? {} : { artifactType }));

  test("come in pages, and a server that does not filter is no problem", async () => {
    await using server = await faultProxy(undefined, ({ url }) => {
      const second = url.includes("page=2");
      const link: Record<string, string> = second ? {} : { link: `</v2/app/referrers/${subject.digest}?page=2>; rel="next"` };
      return {
        status: 200,
        headers: { "content-type": mediaTypes.index, ...link },
        body: page(second ? entries.slice(2) : entries.slice(0, 2)),
      };
    });
    expect(await ask(server.host)).toEqual(entries);
    expect(await ask(server.host, "application/x.c")).toEqual(entries.slice(2));
  });

  test("a next page elsewhere is not asked for, one that was there already ends the list", async () => {
    await using elsewhere = await faultProxy(undefined, () => ({ status: 500 }));
    await using server = await faultProxy(undefined, () => ({
      status: 200,
      headers: { "content-type": mediaTypes.index, link: `<http://${elsewhere.host}/v2/app/referrers/x>; rel="next"` },
      body: page(entries),
    }));
    expect(await ask(server.host)).toEqual(entries);
    expect(elsewhere.seen).toEqual([]);
    await using circle = await faultProxy(undefined, ({ url }) => ({
      status: 200,
      headers: { "content-type": mediaTypes.index, link: `<${url}>; rel="next"` },
      body: page(entries),
    }));
    await expect(ask(circle.host)).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("in a circle") });
  });

  test("an answer that is no index sends us to the tag", async () => {
    await using server = await faultProxy(undefined, ({ url }) =>
      url.includes("/referrers/") ? { status: 200, headers: { "content-type": "text/html" }, body: "<html>" } : { status: 404 },
    );
    expect(await ask(server.host)).toEqual([]);
    expect(server.seen.some(({ url }) => url.endsWith(`/manifests/${referrersTag(subject.digest)}`))).toBe(true);
  });
});

test("[REG-6] [API-6] a list of tags comes in pages", async () => {
  await using server = await faultProxy(undefined, ({ url }) => {
    const last = new URL(url, "http://x").searchParams.get("last");
    const link: Record<string, string> = last === null ? { link: '</v2/app/tags/list?n=2&last=b>; rel="next"' } : {};
    return { status: 200, headers: link, body: JSON.stringify({ name: "app", tags: last === null ? ["a", "b"] : ["c"] }) };
  });
  expect(await list(client().tags!(parseReference(`${server.host}/app`)))).toEqual(["a", "b", "c"]);
});
