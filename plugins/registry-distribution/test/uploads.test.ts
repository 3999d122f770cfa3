import { randomBytes } from "node:crypto";
import { parseReference } from "@ramekin/oci";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DistributionOptions, distributionRegistry } from "../src/index.ts";
import { blob, collect } from "./support/blobs.ts";
import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { type Fault, faultProxy, firstTimes, type SeenRequest } from "./support/fault-proxy.ts";
import { ociRegistry } from "./support/ociregistry.ts";

const client = (options: DistributionOptions = {}) =>
  distributionRegistry({ credentials: async () => undefined, retry: { delay: 1 }, idleTimeout: 3000, ...options });

describe("[REG-1] uploads to docker-registry", () => {
  let server: DockerRegistry;
  beforeEach((context) => {
    if (noDockerRegistry !== undefined) context.skip(noDockerRegistry);
  });
  beforeAll(async () => {
    if (noDockerRegistry === undefined) server = await dockerRegistry();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const through = async (fault: (request: SeenRequest) => Fault | undefined) => faultProxy(server.host, fault);
  const isPatch = ({ method }: SeenRequest) => method === "PATCH";
  /** Pushes the bytes by way of the proxy; resolves with the offsets that the source was asked for. */
  const upload = async (host: string, bytes: Buffer, options: DistributionOptions = {}, registry = server.host) => {
    const { descriptor } = blob(bytes);
    const offsets: number[] = [];
    const at = parseReference(`${host}/up-${descriptor.digest.slice(7, 19)}`);
    await client(options).push(at, descriptor, async function* (offset) {
      offsets.push(offset);
      for (let from = offset; from < bytes.byteLength; from += 65_536) yield bytes.subarray(from, from + 65_536);
    });
    const stored = await collect(client().fetch({ ...at, registry }, descriptor));
    expect(Buffer.compare(stored, bytes)).toBe(0);
    return offsets;
  };
  const methods = (seen: readonly SeenRequest[]) => seen.map(({ method }) => method).join(" ");

  test("a small blob takes one request after the HEAD and the POST", async () => {
    await using proxy = await through(() => undefined);
    await upload(proxy.host, randomBytes(1000));
    expect(methods(proxy.seen)).toBe("HEAD POST PUT");
  });

  test("a large one goes as one stream", async () => {
    await using proxy = await through(() => undefined);
    expect(await upload(proxy.host, randomBytes(3 << 20))).toEqual([0]);
    expect(methods(proxy.seen)).toBe("HEAD POST PATCH PUT");
  });

  test("what is there already costs a HEAD", async () => {
    const bytes = randomBytes(2 << 20);
    await upload(server.host, bytes);
    await using proxy = await through(() => undefined);
    expect(await upload(proxy.host, bytes)).toEqual([]);
    expect(methods(proxy.seen)).toBe("HEAD");
  });

  test("docker-registry forgets an upload that was cut: it begins anew", async () => {
    await using proxy = await through(firstTimes(1, isPatch, { cutRequestAfter: 1_500_000 }));
    expect(await upload(proxy.host, randomBytes(3 << 20))).toEqual([0, 0]);
    expect(methods(proxy.seen)).toBe("HEAD POST PATCH GET POST PATCH PUT");
  });

  test("[API-6] a stream that is cut goes on where the registry says that it came to", async (context) => {
    const resuming = await ociRegistry();
    if (typeof resuming === "string") return context.skip(resuming);
    await using _ = resuming;
    await using proxy = await faultProxy(resuming.host, firstTimes(2, isPatch, { cutRequestAfter: 1_500_000 }));
    const offsets = await upload(proxy.host, randomBytes(6 << 20), {}, resuming.host);
    expect(offsets).toHaveLength(3);
    expect(offsets[1]).toBeGreaterThan(0);
    expect(offsets[2]).toBeGreaterThan(offsets[1] ?? 0);
    const ranges = proxy.seen.filter(isPatch).map(({ headers }) => headers["content-range"]);
    expect(ranges).toEqual([undefined, `${offsets[1]}-${(6 << 20) - 1}`, `${offsets[2]}-${(6 << 20) - 1}`]);
    expect(methods(proxy.seen)).toBe("HEAD POST PATCH GET PATCH GET PATCH PUT");
  });

  test("one that the registry has forgotten begins anew", async () => {
    const isStatus = ({ method, url }: SeenRequest) => method === "GET" && url.includes("/uploads/");
    const cut = firstTimes(1, isPatch, { cutRequestAfter: 1_000_000 });
    const forget = firstTimes(1, isStatus, { status: 404 });
    await using proxy = await through((request) => cut(request) ?? forget(request));
    expect(await upload(proxy.host, randomBytes(3 << 20))).toEqual([0, 0]);
    expect(methods(proxy.seen)).toBe("HEAD POST PATCH GET POST PATCH PUT");
  });

  test("[API-6] a body that is too large at once goes in chunks", async () => {
    const tooLarge = (request: SeenRequest): Fault | undefined =>
      isPatch(request) && Number(request.headers["content-length"]) > 32 << 20 ? { status: 413 } : undefined;
    await using proxy = await through(tooLarge);
    await upload(proxy.host, randomBytes(40 << 20));
    const ranges = proxy.seen.filter(isPatch).map(({ headers }) => headers["content-range"]);
    expect(ranges).toEqual([undefined, `0-${(32 << 20) - 1}`, `${32 << 20}-${(40 << 20) - 1}`]);
  });

  test("500 and 429 in the middle are waited out; a registry that takes nothing is given up", async () => {
    const failing = firstTimes(1, isPatch, { status: 500 });
    const limiting = firstTimes(1, ({ method }) => method === "PUT", { status: 429, headers: { "retry-after": "0" } });
    await using proxy = await through((request) => failing(request) ?? limiting(request));
    await upload(proxy.host, randomBytes(2 << 20));
    await using deaf = await through((request) => (isPatch(request) ? { status: 503 } : undefined));
    const failed = upload(deaf.host, randomBytes(2 << 20), { retry: { attempts: 3, delay: 1 } });
    await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("503") });
  });

  test("a refusal ends the upload at once, without the rest of the bytes", async () => {
    await using proxy = await through((request) => (isPatch(request) ? { status: 403 } : undefined));
    let read = 0;
    const { descriptor } = blob(Buffer.alloc(64 << 20));
    const pushed = client().push(parseReference(`${proxy.host}/app`), descriptor, async function* () {
      for (let n = 0; n < 1024; n++) {
        read += 65_536;
        yield Buffer.alloc(65_536);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    await expect(pushed).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(read).toBeLessThan(64 << 20);
  });

  test("a source that breaks is not the registry's fault, and not tried again", async () => {
    let sources = 0;
    const { descriptor } = blob(Buffer.alloc(2 << 20));
    // biome-ignore lint/correctness/useYield: it breaks before the first byte
    const pushed = client().push(parseReference(`${server.host}/app`), descriptor, async function* () {
      sources++;
      throw new Error("the disk is gone");
    });
    await expect(pushed).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("the disk is gone") });
    expect(sources).toBe(1);
  });

  test("a mount that a registry turns down becomes an upload", async () => {
    const bytes = randomBytes(1000);
    const { descriptor } = blob(bytes);
    await using proxy = await through(() => undefined);
    await client().push(
      parseReference(`${proxy.host}/to`),
      descriptor,
      async function* () {
        yield bytes;
      },
      { mountFrom: "nobody" },
    );
    expect(proxy.seen.find(({ method }) => method === "POST")?.url).toBe(
      `/v2/to/blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=nobody`,
    );
    expect(methods(proxy.seen)).toBe("HEAD POST PUT");
  });
});
