import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { ByteStream, Descriptor, Digest } from "@ramekin/core";
import { mediaTypes, parseReference } from "@ramekin/oci";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DistributionOptions, distributionRegistry } from "../src/index.ts";
import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { type Fault, faultProxy, firstTimes, type SeenRequest } from "./support/fault-proxy.ts";

const client = (options: DistributionOptions = {}) =>
  distributionRegistry({ credentials: async () => undefined, retry: { delay: 1 }, idleTimeout: 2000, ...options });

async function collect(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const describeBytes = (bytes: Uint8Array, mediaType: string): Descriptor => ({
  mediaType,
  digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest,
  size: bytes.byteLength,
});

describe("faults before docker-registry", () => {
  const layer = randomBytes(300_000);
  const layerDescriptor = describeBytes(layer, mediaTypes.layer);
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: layerDescriptor, layers: [layerDescriptor] }),
  );
  const manifestDescriptor = describeBytes(manifest, mediaTypes.manifest);
  let server: DockerRegistry;

  beforeEach((context) => {
    if (noDockerRegistry !== undefined) context.skip(noDockerRegistry);
  });
  beforeAll(async () => {
    if (noDockerRegistry !== undefined) return;
    server = await dockerRegistry();
    const at = parseReference(`${server.host}/app:v1`);
    for (const [descriptor, bytes] of [
      [layerDescriptor, layer],
      [manifestDescriptor, manifest],
    ] as const) {
      await client().push(at, descriptor, async function* () {
        yield bytes;
      });
    }
    await client().tag(at, manifestDescriptor);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** The registry behind a proxy that spoils what `fault` says, and `app:v1` as it is called there. */
  const spoilt = async (fault: (request: SeenRequest) => Fault | undefined) => {
    const proxy = await faultProxy(server.host, fault);
    return { proxy, at: parseReference(`${proxy.host}/app:v1`), [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
  };
  const ofBlob = ({ method, url }: SeenRequest) => method === "GET" && url.includes("/blobs/sha256:");
  const ofManifest = ({ url }: SeenRequest) => url.includes("/manifests/");

  test("[REG-7] [API-6] a download that is cut goes on where it was cut, as often as it takes", async () => {
    await using here = await spoilt((request) => (ofBlob(request) ? { cutAfter: 40_000 } : undefined));
    const { at, proxy } = here;
    expect((await collect(client({ retry: { attempts: 2, delay: 1 } }).fetch(at, layerDescriptor))).equals(layer)).toBe(true);
    const ranges = proxy.seen.filter(ofBlob).map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, ...[1, 2, 3, 4, 5, 6, 7].map((n) => `bytes=${n * 40_000}-`)]);
  });

  test("a server that always cuts at once is given up", async () => {
    await using here = await spoilt((request) => (ofBlob(request) ? { cutAfter: 0 } : undefined));
    await expect(collect(client().fetch(here.at, layerDescriptor))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(here.proxy.seen.filter(ofBlob)).toHaveLength(5);
  });

  test("[REG-7] a server that ignores Range: the bytes before the offset are dropped", async () => {
    await using here = await spoilt((request) => (ofBlob(request) ? { without: "range" } : undefined));
    expect((await collect(client().fetch(here.at, layerDescriptor, { offset: 123_456 }))).equals(layer.subarray(123_456))).toBe(true);
  });

  test("a server that answers another range than the one asked for is not believed", async () => {
    await using here = await spoilt((request) => (ofBlob(request) ? { answer: { "content-range": "bytes 7-299999/300000" } } : undefined));
    await expect(collect(client().fetch(here.at, layerDescriptor, { offset: 10 }))).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test("416 means that the registry's blob is shorter than its descriptor", async () => {
    await using here = await spoilt((request) => (ofBlob(request) ? { status: 416 } : undefined));
    await expect(collect(client().fetch(here.at, layerDescriptor, { offset: 10 }))).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test("a blob that does not end is read to its size and not further", async () => {
    const short = { ...layerDescriptor, size: 100_000 };
    await expect(collect(client().fetch(parseReference(`${server.host}/app`), short))).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test.each([429, 500, 502, 503, 504])("[REG-7] %i once is tried again", async (status) => {
    const fault = firstTimes(1, ofManifest, { status, headers: { "retry-after": "0" } });
    await using here = await spoilt(fault);
    expect(await client().resolve(here.at)).toMatchObject({ digest: manifestDescriptor.digest });
    expect(here.proxy.seen.filter(ofManifest)).toHaveLength(2);
  });

  test("[REG-7] Retry-After is waited for, and refused when too long", async () => {
    {
      await using here = await spoilt(firstTimes(1, ofManifest, { status: 429, headers: { "retry-after": "1" } }));
      const start = performance.now();
      await client().resolve(here.at);
      expect(performance.now() - start).toBeGreaterThan(990);
    }
    const limit = { "retry-after": "3600", "ratelimit-limit": "100;w=21600" };
    await using here = await spoilt(firstTimes(1, ofManifest, { status: 429, headers: limit }));
    await expect(client().resolve(here.at)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      hint: expect.stringContaining("limits requests to 100 in 360 minutes"),
    });
  });

  test("4xx is not tried again", async () => {
    await using here = await spoilt((request) => (ofManifest(request) ? { status: 403 } : undefined));
    await expect(client().resolve(here.at)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(here.proxy.seen.filter(ofManifest)).toHaveLength(1);
  });

  test("an upload that fails half-way begins again, from a new source", async () => {
    const bytes = randomBytes(200_000);
    const descriptor = describeBytes(bytes, mediaTypes.layer);
    await using here = await spoilt(firstTimes(1, ({ method }) => method === "PUT", { status: 500 }));
    let sources = 0;
    await client().push({ ...here.at, repository: `up-${randomUUID()}` }, descriptor, async function* () {
      sources++;
      yield bytes;
    });
    expect(sources).toBe(2);
  });

  test("silence ends in TIMEOUT, before the headers and in the middle of the body", async () => {
    const impatient = client({ idleTimeout: 200, retry: { attempts: 2, delay: 1 } });
    await using mute = await spoilt((request) => (ofManifest(request) ? { silence: true } : undefined));
    await expect(impatient.resolve(mute.at)).rejects.toMatchObject({ code: "TIMEOUT" });
    await using stalling = await spoilt((request) => (ofBlob(request) ? { stallAfter: 0 } : undefined));
    await expect(collect(impatient.fetch(stalling.at, layerDescriptor))).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  test("a slow reader is no silence", async () => {
    const impatient = client({ idleTimeout: 150 });
    let size = 0;
    for await (const chunk of impatient.fetch(parseReference(`${server.host}/app`), layerDescriptor)) {
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 400));
      size += chunk.byteLength;
    }
    expect(size).toBe(layer.byteLength);
  });

  test("cancelling ends a request that nobody answers", async () => {
    await using here = await spoilt((request) => (ofManifest(request) ? { silence: true } : undefined));
    await expect(client().resolve(here.at, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("without Docker-Content-Digest, or with a useless Content-Type, the bytes tell", async () => {
    const answer = { "docker-content-digest": "", "content-type": "application/json" };
    await using here = await spoilt((request) => (ofManifest(request) ? { answer } : undefined));
    expect(await client().resolve(here.at)).toEqual(manifestDescriptor);
    expect(here.proxy.seen.filter(ofManifest).map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  });

  test("a registry that answers another digest than the one asked for is not believed", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    await using here = await spoilt((request) => (ofManifest(request) ? { answer: { "docker-content-digest": other } } : undefined));
    const { tag: _, ...named } = here.at;
    await expect(client().resolve({ ...named, digest: manifestDescriptor.digest })).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test("a manifest beyond 4 MiB is refused before it is read", async () => {
    const answer = { "content-length": `${5 << 20}` };
    await using here = await spoilt((request) => (ofManifest(request) && request.method === "HEAD" ? { answer } : undefined));
    await expect(client().resolve(here.at)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  test("docker schema 1 is refused by name", async () => {
    const answer = { "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws" };
    await using here = await spoilt((request) => (ofManifest(request) ? { answer } : undefined));
    await expect(client().resolve(here.at)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("what a registry says reaches no terminal as an escape sequence", async () => {
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: "\u001b[2Jno\u0007pe" }] });
    await using here = await spoilt((request) => (ofBlob(request) ? { status: 403, body } : undefined));
    await expect(collect(client().fetch(here.at, layerDescriptor))).rejects.toThrow(/: \[2Jno pe$/);
  });
});

test("nobody listens: UNAVAILABLE at once, with a hint", async () => {
  const proxy = await faultProxy(undefined, () => undefined);
  await proxy[Symbol.asyncDispose]();
  await expect(client().resolve(parseReference(`${proxy.host}/app`))).rejects.toMatchObject({
    code: "UNAVAILABLE",
    hint: expect.stringContaining(proxy.host),
  });
});
