import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseReference } from "@ramekin/oci";
import { beforeEach, describe, expect, test } from "vitest";
import { hostRules } from "../src/hosts/rules.ts";
import { blob, collect, list, push, pushImage } from "./support/blobs.ts";
import { dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "./support/fault-proxy.ts";
import { type Machine, machine } from "./support/machine.ts";

const rulesOf = ({ environment, etc }: Machine, also: Record<string, string> = {}) =>
  hostRules({ environment: { ...environment, ...also }, etc });
/** `protocol host base repository`, of each place in its order. */
const placesOf = async (here: Machine, name: string, also?: Record<string, string>) =>
  (await rulesOf(here, also).places(parseReference(name))).map(
    ({ protocol, host, base, repository }) => `${protocol} ${host}${base} ${repository}`,
  );

describe("[REG-3] where a registry's content is", () => {
  test("without configuration: the registry itself, by https, and on this machine by either", async () => {
    await using here = await machine();
    expect(await placesOf(here, "debian")).toEqual(["https docker.io/v2 library/debian"]);
    expect(await placesOf(here, "registry.example/a/b")).toEqual(["https registry.example/v2 a/b"]);
    expect(await placesOf(here, "localhost:5000/a")).toEqual(["any localhost:5000/v2 a"]);
  });

  test("registries.toml: mirrors, insecure, blocked; the longest name wins, the user's file is the only one", async () => {
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", '[registry."docker.io"]\nblocked = true\n');
    await here.write(
      "home/.config/ramekin/registries.toml",
      `[registry."docker.io"]
mirrors = ["mirror.example/hub", "http://10.0.0.1:5000"]
[registry."corp.example"]
insecure = true
[registry."corp.example/secret"]
blocked = true
`,
    );
    expect(await placesOf(here, "debian")).toEqual([
      "https mirror.example/v2 hub/library/debian",
      "http 10.0.0.1:5000/v2 library/debian",
      "https docker.io/v2 library/debian",
    ]);
    expect(await placesOf(here, "corp.example/app")).toEqual(["any corp.example/v2 app"]);
    await expect(placesOf(here, "corp.example/secret/app")).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: "corp.example/secret/app is blocked",
      hint: expect.stringContaining("registries.toml"),
    });
    expect(await placesOf(here, "corp.example/secretary")).toEqual(["any corp.example/v2 secretary"]);
  });

  test.each([
    ["mirror = []", 'registry."x.example".mirror is not known'],
    ['mirrors = "a"', "mirrors is not a list of strings"],
    ['mirrors = ["ftp://x"]', "which is no host"],
    ['client-cert = "/c"', "only one of client-cert and client-key"],
    ["insecure = 1", "insecure is not true or false"],
    ["insecure =", "registries.toml: "],
  ])("registries.toml with %s is refused, with its path", async (line, message) => {
    await using here = await machine();
    await here.write("home/.config/ramekin/registries.toml", `[registry."x.example"]\n${line}\n`);
    await expect(placesOf(here, "x.example/a")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message),
    });
    await expect(placesOf(here, "x.example/a")).rejects.toThrow(join(here.folder, "home/.config/ramekin/registries.toml"));
  });

  test("registries.conf: prefix, location, mirrors, insecure, blocked, wildcards, drop-ins", async () => {
    await using here = await machine();
    await here.write(
      "etc/containers/registries.conf",
      `unqualified-search-registries = ["quay.io"]
[[registry]]
prefix = "docker.io"
location = "docker.io"
  [[registry.mirror]]
  location = "mirror.example/hub"
  [[registry.mirror]]
  location = "plain.example:5000"
  insecure = true
  pull-from-mirror = "digest-only"
[[registry]]
prefix = "moved.example/old"
location = "new.example/team/new"
[[registry]]
prefix = "*.evil.example"
blocked = true
[[registry]]
location = "replaced.example"
blocked = true
`,
    );
    await here.write("etc/containers/registries.conf.d/00-ours.conf", '[[registry]]\nlocation = "replaced.example"\ninsecure = true\n');
    // Looked at by others, and not worth a parser to us.
    await here.write("etc/containers/registries.conf.d/shortnames.conf", "[aliases]\nnot toml at all\n");
    expect(await placesOf(here, "debian")).toEqual([
      "https mirror.example/v2 hub/library/debian",
      "any plain.example:5000/v2 library/debian",
      "https docker.io/v2 library/debian",
    ]);
    expect(await placesOf(here, "moved.example/old/app")).toEqual(["https new.example/v2 team/new/app"]);
    expect(await placesOf(here, "moved.example/older/app")).toEqual(["https moved.example/v2 older/app"]);
    expect(await placesOf(here, "replaced.example/app")).toEqual(["any replaced.example/v2 app"]);
    await expect(placesOf(here, "very.evil.example/app")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(await placesOf(here, "evil.example/app")).toEqual(["https evil.example/v2 app"]);
    await here.write("named.conf", '[[registry]]\nprefix = "a.example"\nlocation = "b.example"\n');
    expect(await placesOf(here, "a.example/x", { CONTAINERS_REGISTRIES_CONF: join(here.folder, "named.conf") })).toEqual([
      "https b.example/v2 x",
    ]);
  });

  test("hosts.toml of containerd: hosts in their order, capabilities, paths, headers, _default", async () => {
    await using here = await machine();
    await here.write(
      "etc/containerd/certs.d/docker.io/hosts.toml",
      `server = "https://registry-1.docker.io"
[host."https://mirror.example/cache"]
capabilities = ["pull", "resolve"]
[host."https://mirror.example/v2/raw"]
capabilities = ["pull"]
override_path = true
[host."https://mirror.example/v2/raw".header]
x-kitchen = "stove"
`,
    );
    await here.write(
      "etc/containerd/certs.d/_default/hosts.toml",
      '[host."http://any.example:8080"]\ncapabilities = ["pull", "resolve"]\n',
    );
    expect(await placesOf(here, "debian")).toEqual([
      "https mirror.example/cache/v2 library/debian",
      "https mirror.example/v2/raw library/debian",
      "https docker.io/v2 library/debian",
    ]);
    expect(await placesOf(here, "other.example/app")).toEqual(["http any.example:8080/v2 app", "https other.example/v2 app"]);
    const [, raw] = await rulesOf(here).places(parseReference("debian"));
    expect(raw).toMatchObject({ pulls: "digest-only", pushes: false, headers: { "x-kitchen": "stove" } });
  });

  test("registries.toml is asked before hosts.toml, and that before registries.conf", async () => {
    await using here = await machine();
    await here.write("etc/containers/registries.conf", '[[registry]]\nprefix = "x.example"\nlocation = "conf.example"\n');
    expect(await placesOf(here, "x.example/a")).toEqual(["https conf.example/v2 a"]);
    await here.write("etc/containerd/certs.d/x.example/hosts.toml", 'server = "https://hosts.example"\n');
    expect(await placesOf(here, "x.example/a")).toEqual(["https hosts.example/v2 a"]);
    await here.write("etc/ramekin/registries.toml", '[registry."x.example"]\nmirrors = ["own.example"]\n');
    expect(await placesOf(here, "x.example/a")).toEqual(["https own.example/v2 a", "https x.example/v2 a"]);
  });
});

describe("[REG-3] mirrors", () => {
  beforeEach((context) => {
    if (noDockerRegistry !== undefined) context.skip(noDockerRegistry);
  });

  /** `registry.test`, which is nowhere, and a mirror of it that is. */
  const mirrored = async (registry: FaultProxy, mirror: FaultProxy) => {
    const here = await machine();
    await here.write("etc/ramekin/registries.toml", `[registry."${registry.host}"]\nmirrors = ["http://${mirror.host}/cache"]\n`);
    return here;
  };
  const reads = ({ seen }: FaultProxy) => seen.map(({ method, url }) => `${method} ${url}`);

  test("serve what they have, told whose it is (ns=); the registry serves the rest, and takes what is pushed", async () => {
    await using upstream = await dockerRegistry();
    await using cache = await dockerRegistry();
    await using registry = await faultProxy(upstream.host, () => undefined);
    await using mirror = await faultProxy(cache.host, () => undefined);
    await using here = await mirrored(registry, mirror);
    const at = parseReference(`${registry.host}/app:v1`);
    const direct = here.client();
    const image = await pushImage(direct, at, "one");
    expect(mirror.seen).toEqual([]);
    expect(await list(direct.tags!(at))).toEqual(["v1"]);
    expect(mirror.seen).toEqual([]);

    // The mirror has the manifest and lacks all else.
    await pushImage(here.client(), parseReference(`${cache.host}/cache/app:v1`), "one");
    const other = blob("only upstream");
    await push(here.client(), at, other);
    const before = registry.seen.length;
    const client = here.client();
    expect(await client.resolve(at)).toMatchObject({ digest: image.descriptor.digest });
    expect(Buffer.compare(await collect(client.fetch(at, image.descriptor)), image.bytes)).toBe(0);
    expect(registry.seen.slice(before)).toEqual([]);
    expect(reads(mirror)[0]).toMatch(new RegExp(`HEAD /v2/cache/app/manifests/v1\\?ns=${encodeURIComponent(registry.host)}$`));
    expect(String(await collect(client.fetch(at, other.descriptor)))).toBe("only upstream");
    expect(here.warnings).toEqual([]);
  });

  test("are not pushed to, even where a hosts.toml lets them have everything", async () => {
    await using upstream = await dockerRegistry();
    await using mirror = await faultProxy(undefined, () => undefined);
    await using here = await machine();
    const hosts = `server = "http://${upstream.host}"\n[host."http://${mirror.host}"]\n`;
    await here.write(`etc/containerd/certs.d/${upstream.host}/hosts.toml`, hosts);
    const at = parseReference(`${upstream.host}/app:v1`);
    const image = await pushImage(here.client(), at, "one");
    expect(mirror.seen).toEqual([]);
    expect(await here.client().resolve(at)).toMatchObject({ digest: image.descriptor.digest });
    expect(mirror.seen).toHaveLength(1);
  });

  test("one that is broken is warned of once, and passed over", async () => {
    await using upstream = await dockerRegistry();
    await using registry = await faultProxy(upstream.host, () => undefined);
    for (const fault of [{ status: 500 }, { status: 401 }, { silence: true }] as const) {
      await using mirror = await faultProxy(undefined, () => fault);
      await using here = await mirrored(registry, mirror);
      const at = parseReference(`${registry.host}/app:v1`);
      const image = await pushImage(here.client(), at, "one");
      const client = here.client({ idleTimeout: 300 });
      expect(await client.resolve(at)).toMatchObject({ digest: image.descriptor.digest });
      await collect(client.fetch(at, image.descriptor));
      expect(mirror.seen).toHaveLength(1);
      expect(here.warnings).toEqual([expect.stringContaining(`mirror ${mirror.host} was passed over`)]);
    }
  });

  test("one that lies about a digest is passed over", async () => {
    await using upstream = await dockerRegistry();
    await using registry = await faultProxy(upstream.host, () => undefined);
    await using mirror = await faultProxy(undefined, (request: SeenRequest) => ({
      status: 200,
      headers: { "content-type": "application/vnd.oci.image.manifest.v1+json", "docker-content-digest": `sha256:${"0".repeat(64)}` },
      body: request.method === "HEAD" ? "" : "{}",
    }));
    await using here = await mirrored(registry, mirror);
    const image = await pushImage(here.client(), parseReference(`${registry.host}/app:v1`), "one");
    const at = { ...parseReference(`${registry.host}/app`), digest: image.descriptor.digest };
    expect(await here.client().resolve(at)).toMatchObject({ digest: image.descriptor.digest });
    expect(here.warnings).toEqual([expect.stringMatching(new RegExp(`^mirror ${mirror.host} was passed over for .*: it answers sha256:`))]);
  });

  describe("blobs", () => {
    const content = blob(randomBytes(200_000));
    const digest = content.descriptor.digest;
    /** A registry and mirrors that all have the blob, each spoilt in its way. */
    const behind = async (...faults: ((request: SeenRequest) => Fault | undefined)[]) => {
      const stack = new AsyncDisposableStack();
      const upstream = stack.use(await dockerRegistry());
      const registry = stack.use(await faultProxy(upstream.host, () => undefined));
      const mirrors: FaultProxy[] = [];
      for (const fault of faults) mirrors.push(stack.use(await faultProxy(upstream.host, fault)));
      const here = stack.use(await machine());
      const list = mirrors.map(({ host }) => JSON.stringify(`http://${host}`)).join(", ");
      await here.write("etc/ramekin/registries.toml", `[registry."${registry.host}"]\nmirrors = [${list}]\n`);
      const at = parseReference(`${registry.host}/app`);
      await push(here.client(), at, content);
      const client = here.client();
      const fetch = async (offset = 0) =>
        (await collect(client.fetch(at, content.descriptor, { offset }))).equals(content.bytes.subarray(offset));
      const asked = (proxy: FaultProxy) => proxy.seen.filter(({ method }) => method === "GET").map(({ headers }) => headers.range ?? "all");
      return { ...{ here, client, registry, mirrors, fetch, asked }, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    };

    test("what was wrong comes from the next one, and from the registry last", async () => {
      await using all = await behind(
        () => ({ corrupt: true }),
        () => ({ corrupt: true }),
      );
      const { client, registry, mirrors, fetch, asked, here } = all;
      expect(await fetch()).toBe(false);
      expect(client.distrust!(content.descriptor)).toBe(true);
      expect(await fetch()).toBe(false);
      expect(client.distrust!(content.descriptor)).toBe(true);
      expect(asked(registry)).toEqual([]);
      expect(await fetch()).toBe(true);
      expect(client.distrust!(content.descriptor), "nobody else to ask").toBe(false);
      expect(mirrors.map(asked)).toEqual([["all"], ["all"]]);
      expect(here.warnings).toEqual(
        mirrors.map(({ host }) => `mirror ${host} was passed over for ${digest}: what it serves has another digest`),
      );
    });

    test.each<[string, Fault[]]>([
      ["ends early, and then has no more", [{ cutAfter: 50_000 }, { status: 416 }]],
      ["ends early, and then gives nothing", [{ cutAfter: 50_000 }, { cutAfter: 0 }]],
      ["answers another range", [{ cutAfter: 50_000 }, { answer: { "content-range": "bytes 7-199999/200000" } }]],
      ["has a page for people", Array(2).fill({ status: 200, body: "<html>" })],
      ["has too much", [{ status: 200, body: "x".repeat(200_001) }]],
    ])("the rest comes from the registry where a mirror %s", async (_, faults) => {
      const left = [...faults];
      await using all = await behind(({ method }) => (method === "GET" ? left.shift() : undefined));
      const right = await all.fetch();
      expect(right).toBe(faults[0] !== undefined && "cutAfter" in faults[0]);
      expect(all.mirrors.map(all.asked)).toEqual([["all", ...faults.slice(1).map(() => expect.stringMatching(/^bytes=\d+-$/))]]);
      expect(all.asked(all.registry)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
      expect(all.here.warnings).toEqual([expect.stringContaining(`mirror ${all.mirrors[0]?.host} was passed over`)]);
      if (!right) expect(all.client.distrust!(content.descriptor)).toBe(true);
    });
  });

  test("credentials of the registry do not go to its mirror, configured headers go to their host alone", async () => {
    const challenge = { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
    await using registry = await faultProxy(undefined, () => challenge);
    await using elsewhere = await faultProxy(undefined, () => ({ status: 404 }));
    await using mirror = await faultProxy(undefined, () => ({ status: 307, headers: { location: `http://${elsewhere.host}/blob` } }));
    await using here = await machine();
    await here.write(
      `etc/containerd/certs.d/${registry.host}/hosts.toml`,
      `server = "http://${registry.host}"\n[host."http://${mirror.host}"]\n[host."http://${mirror.host}".header]\nauthorization = "Bearer mirror"\n`,
    );
    await here.write("home/.docker/config.json", { auths: { [registry.host]: { auth: Buffer.from("alice:secret").toString("base64") } } });
    await expect(here.client().resolve(parseReference(`${registry.host}/app`))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(mirror.seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer mirror"]);
    expect(elsewhere.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(registry.seen.some(({ headers }) => headers.authorization?.startsWith("Basic "))).toBe(true);
  });
});

test("[REG-3] what is said for one registry holds where it is, and for no other", async () => {
  const challenge = { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
  await using registry = await faultProxy(undefined, () => challenge);
  await using other = await faultProxy(undefined, () => challenge);
  await using here = await machine();
  const account = { username: "alice", password: "secret" };
  // Its name leads elsewhere, to where nobody may speak plain HTTP.
  await here.write("etc/containers/registries.conf", `[[registry]]\nprefix = "moved.example/old"\nlocation = "${registry.host}/new"\n`);
  await here.write("etc/ramekin/registries.toml", "insecure-registries = []\n");
  const client = here.client();
  await expect(client.resolve(parseReference("moved.example/old/app"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  using special = client.with!("moved.example", { account, verify: false });
  await expect(special.resolve(parseReference("moved.example/old/app"))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  const basic = `Basic ${Buffer.from("alice:secret").toString("base64")}`;
  expect(registry.seen.map(({ headers }) => headers.authorization)).toContain(basic);
  await expect(special.resolve(parseReference(`${other.host}/app`))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  using lax = client.with!(other.host, { verify: false });
  await expect(lax.resolve(parseReference(`${other.host}/app`))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  expect(other.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
});

describe("[REG-1] what is not fetched", () => {
  test("foreign layers: their urls are not followed, and the reason is said", async () => {
    await using thief = await faultProxy(undefined, () => ({ status: 200, body: "x" }));
    await using registry = await faultProxy(undefined, () => ({ status: 404 }));
    await using here = await machine();
    const { descriptor } = blob("windows", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    const foreign = { ...descriptor, urls: [`http://${thief.host}/layer`] };
    await expect(collect(here.client().fetch(parseReference(`${registry.host}/app`), foreign))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("is a foreign layer"),
      hint: expect.stringContaining(thief.host),
    });
    expect(thief.seen).toEqual([]);
  });
});
