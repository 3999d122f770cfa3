import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryClient } from "@ramekin/core";
import { parseReference } from "@ramekin/oci";
import { describe, expect, test } from "vitest";
import type { Credentials } from "../src/credentials/credentials.ts";
import { credentialFiles } from "../src/credentials/source.ts";
import { distributionRegistry } from "../src/index.ts";
import { dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { type Fault, faultProxy, type SeenRequest } from "./support/fault-proxy.ts";

const digest = `sha256:${"a".repeat(64)}`;
const found: Fault = {
  status: 200,
  headers: { "docker-content-digest": digest, "content-length": "2", "content-type": "application/vnd.oci.image.manifest.v1+json" },
};
const alice: Credentials = { username: "alice", password: "pass:word" };
const basicAlice = `Basic ${Buffer.from("alice:pass:word").toString("base64")}`;

const client = (credentials?: Credentials): RegistryClient =>
  distributionRegistry({ credentials: async () => credentials, retry: { delay: 1 } });

/** A registry that wants a token from `realm`, which is itself unless said otherwise. */
function tokenServer(options: { realm?: string; accepts?: (request: SeenRequest) => boolean; token?: () => string } = {}) {
  const { accepts = () => true, token = () => "secret" } = options;
  const state = { current: "" };
  const answer = (request: SeenRequest): Fault => {
    if (request.url.startsWith("/token")) {
      if (!accepts(request)) return { status: 401 };
      state.current = token();
      return { status: 200, body: JSON.stringify({ token: state.current }) };
    }
    const realm = options.realm ?? `http://${request.headers.host}/token`;
    const challenge = `Bearer realm="${realm}",service="test",scope="repository:app:pull"`;
    return request.headers.authorization === `Bearer ${state.current}`
      ? found
      : { status: 401, headers: { "www-authenticate": challenge } };
  };
  return { state, start: () => faultProxy(undefined, answer) };
}

describe("[REG-2] bearer tokens", () => {
  test("an anonymous token is asked for once, and sent from then on", async () => {
    await using server = await tokenServer().start();
    const registry = client();
    const at = parseReference(`${server.host}/app`);
    for (let n = 0; n < 3; n++) expect(await registry.resolve(at)).toMatchObject({ digest });
    const tokens = server.seen.filter(({ url }) => url.startsWith("/token"));
    expect(tokens.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/token?service=test&scope=repository%3Aapp%3Apull", undefined],
    ]);
    expect(server.seen.filter(({ url }) => url.includes("/manifests/"))).toHaveLength(4);
  });

  test("requests at the same time share one token", async () => {
    await using server = await tokenServer().start();
    const registry = client();
    const at = parseReference(`${server.host}/app`);
    await Promise.all([1, 2, 3, 4].map(() => registry.resolve(at)));
    expect(server.seen.filter(({ url }) => url.startsWith("/token"))).toHaveLength(1);
  });

  test("a password goes to the realm, as Basic, and not to the registry", async () => {
    await using server = await tokenServer({ accepts: ({ headers }) => headers.authorization === basicAlice }).start();
    await client(alice).resolve(parseReference(`${server.host}/app`));
    const elsewhere = server.seen.filter(({ url, headers }) => !url.startsWith("/token") && headers.authorization === basicAlice);
    expect(elsewhere).toEqual([]);
  });

  test("an identity token is exchanged by POST", async () => {
    await using server = await tokenServer({ accepts: ({ method }) => method === "POST" }).start();
    await client({ identityToken: "refresh" }).resolve(parseReference(`${server.host}/app`));
  });

  test("a token that has expired is renewed", async () => {
    let count = 0;
    const { start, state } = tokenServer({ token: () => `token-${++count}` });
    await using server = await start();
    const registry = client();
    const at = parseReference(`${server.host}/app`);
    await registry.resolve(at);
    state.current = "none of yours";
    await registry.resolve(at);
    expect(count).toBe(2);
  });

  test("a wrong password is UNAUTHENTICATED, with a hint and without a second try", async () => {
    await using server = await tokenServer({ accepts: () => false }).start();
    const failing = client(alice).resolve(parseReference(`${server.host}/app`));
    await expect(failing).rejects.toMatchObject({ code: "UNAUTHENTICATED", hint: expect.stringContaining("ramekin login") });
    expect(server.seen.filter(({ url }) => url.startsWith("/token"))).toHaveLength(1);
  });

  test.each(["file:///etc/passwd", "ftp://127.0.0.1/", "", "javascript:1", "http://"])("a realm of %j is refused", async (realm) => {
    await using server = await tokenServer({ realm }).start();
    await expect(client(alice).resolve(parseReference(`${server.host}/app`))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  test("a token that would break out of its header is refused", async () => {
    await using server = await tokenServer({ token: () => "a\r\nx-evil: 1" }).start();
    await expect(client().resolve(parseReference(`${server.host}/app`))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });
});

describe("redirects", () => {
  test("[CVE-2020-15157] another host never sees credentials, and its 401 gets no answer", async () => {
    await using thief = await faultProxy(undefined, () => ({ status: 401, headers: { "www-authenticate": 'Basic realm="please"' } }));
    await using server = await faultProxy(undefined, ({ headers }) =>
      headers.authorization === basicAlice
        ? { status: 307, headers: { location: `http://${thief.host}/stolen` } }
        : { status: 401, headers: { "www-authenticate": 'Basic realm="test"' } },
    );
    await expect(client(alice).resolve(parseReference(`${server.host}/app`))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(thief.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([["/stolen", undefined]]);
  });

  test.each(["file:///etc/passwd", "ftp://127.0.0.1/x"])("to %s are not followed", async (location) => {
    await using server = await faultProxy(undefined, () => ({ status: 302, headers: { location } }));
    await expect(client().resolve(parseReference(`${server.host}/app`))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("that never end are given up", async () => {
    await using server = await faultProxy(undefined, () => ({ status: 302, headers: { location: "/again" } }));
    await expect(client().resolve(parseReference(`${server.host}/app`))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(server.seen.length).toBeLessThan(10);
  });
});

describe("[REG-2] credential files", () => {
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  const withFiles = async <T>(files: Record<string, unknown>, use: (home: string, warnings: string[]) => Promise<T>): Promise<T> => {
    const home = await mkdtemp(join(tmpdir(), "ramekin-credentials-"));
    try {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(join(home, name, ".."), { recursive: true });
        await writeFile(join(home, name), typeof content === "string" ? content : JSON.stringify(content));
      }
      return await use(home, []);
    } finally {
      await rm(home, { recursive: true });
    }
  };
  const lookUp = (home: string, name: string, warnings: string[], extra: Record<string, string> = {}) =>
    credentialFiles((message) => warnings.push(message), { HOME: home, XDG_RUNTIME_DIR: join(home, "run"), ...extra })(
      parseReference(name),
    );

  test("Docker's config.json, in the spellings that docker login has used", () =>
    withFiles(
      {
        ".docker/config.json": {
          auths: {
            "https://index.docker.io/v1/": { auth: encoded("hub:one") },
            "registry.example": { auth: encoded("plain:two\0\0") },
            "https://other.example:5000/v2/": { username: "x", password: "three" },
            "token.example": { auth: encoded("y:"), identitytoken: "refresh" },
            "empty.example": {},
          },
        },
      },
      async (home, warnings) => {
        expect(await lookUp(home, "debian", warnings)).toEqual({ username: "hub", password: "one" });
        expect(await lookUp(home, "registry.example/app", warnings)).toEqual({ username: "plain", password: "two" });
        expect(await lookUp(home, "other.example:5000/app", warnings)).toEqual({ username: "x", password: "three" });
        expect(await lookUp(home, "token.example/app", warnings)).toEqual({ identityToken: "refresh" });
        expect(await lookUp(home, "empty.example/app", warnings)).toBeUndefined();
        expect(await lookUp(home, "unknown.example/app", warnings)).toBeUndefined();
        expect(warnings).toEqual([]);
      },
    ));

  test("containers-auth.json comes first, and its longest key wins", () =>
    withFiles(
      {
        "run/containers/auth.json": {
          auths: { "registry.example/team": { auth: encoded("team:one") }, "registry.example": { auth: encoded("all:two") } },
        },
        ".docker/config.json": { auths: { "registry.example": { auth: encoded("docker:three") } } },
      },
      async (home, warnings) => {
        expect(await lookUp(home, "registry.example/team/app", warnings)).toEqual({ username: "team", password: "one" });
        expect(await lookUp(home, "registry.example/teams/app", warnings)).toEqual({ username: "all", password: "two" });
        const named = { REGISTRY_AUTH_FILE: join(home, "nowhere") };
        expect(await lookUp(home, "registry.example/app", warnings, named)).toEqual({ username: "docker", password: "three" });
      },
    ));

  test("a broken file warns and counts as empty", () =>
    withFiles({ ".docker/config.json": "{" }, async (home, warnings) => {
      expect(await lookUp(home, "debian", warnings)).toBeUndefined();
      expect(warnings).toEqual([expect.stringContaining(".docker/config.json")]);
    }));

  test("Basic opens a real registry", async (context) => {
    if (noDockerRegistry !== undefined) return context.skip(noDockerRegistry);
    const htpasswd = execFileSync("htpasswd", ["-nbB", "alice", "pass:word"], { encoding: "utf8" });
    await using server = await dockerRegistry({ htpasswd });
    const at = parseReference(`${server.host}/app:v1`);
    const bytes = Buffer.from("{}");
    const layer = {
      mediaType: "text/plain",
      digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      size: 2,
    } as const;
    const push = (registry: RegistryClient) =>
      registry.push(at, layer, async function* () {
        yield bytes;
      });
    await push(client(alice));
    expect(await client(alice).exists(at, layer)).toBe(true);
    await expect(push(client())).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(push(client({ ...alice, password: "wrong" }))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });
});
