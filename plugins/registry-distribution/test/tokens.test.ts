import { parseReference } from "@ramekin/oci";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Authority, authority, noAuthority } from "./support/authority.ts";
import { blob, list, push, pushImage } from "./support/blobs.ts";
import { dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { machine } from "./support/machine.ts";
import { type TokenServerOptions, tokenServer } from "./support/token-server.ts";

const reason = noDockerRegistry ?? noAuthority;
const everything = ["pull", "push", "delete"];

describe("[REG-2] docker-registry and a token server", () => {
  let ca: Authority;
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  beforeAll(async () => {
    if (reason === undefined) ca = await authority();
  });
  afterAll(() => ca?.[Symbol.asyncDispose]());

  const open = async (options: Partial<TokenServerOptions> = {}) => {
    const identity = await ca.issue("tokens");
    const tokens = await tokenServer({
      identity,
      users: { alice: "pass:word" },
      allowed: { alice: { "*": everything }, "": { public: ["pull"] } },
      ...options,
    });
    const server = await dockerRegistry({ tokens: { realm: tokens.realm, authority: ca.certificate } });
    const here = await machine();
    return {
      ...{ tokens, here, host: server.host },
      at: (name: string) => parseReference(`${server.host}/${name}`),
      async [Symbol.asyncDispose]() {
        for (const each of [here, server, tokens]) await each[Symbol.asyncDispose]();
      },
    };
  };
  const account = { username: "alice", password: "pass:word" };
  const as = (credentials: typeof account | undefined) => ({ credentials: async () => credentials });
  const layer = blob("layer");

  test("[REG-6] [API-6] push, pull, list, delete, each with the scope that it needs", async () => {
    await using bed = await open();
    const registry = bed.here.client(as(account));
    const at = bed.at("team/app:v1");
    const manifest = await pushImage(registry, at, "one");
    expect(await registry.resolve(at)).toMatchObject({ digest: manifest.descriptor.digest });
    expect(await list(registry.tags!(at))).toEqual(["v1"]);
    await registry.delete!(at, manifest.descriptor);
    await expect(registry.resolve(at)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const scopes = new Set(bed.tokens.asked.flatMap(({ scopes }) => scopes));
    expect(scopes).toEqual(new Set(["repository:team/app:pull", "repository:team/app:pull,push", "repository:team/app:delete"]));
  });

  test("a mount asks for both repositories in one token", async () => {
    await using bed = await open();
    const registry = bed.here.client(as(account));
    await push(registry, bed.at("base"), layer);
    await registry.push(
      bed.at("app"),
      layer.descriptor,
      () => {
        throw new Error("the source was read");
      },
      { mountFrom: "base" },
    );
    expect(bed.tokens.asked.at(-1)?.scopes.toSorted()).toEqual(["repository:app:pull,push", "repository:base:pull"]);
  });

  test("what may not be read there is not mounted, but sent", async () => {
    await using bed = await open({
      users: { alice: "pass:word", bob: "b" },
      allowed: { alice: { "*": everything }, bob: { own: ["pull", "push"] } },
    });
    await push(bed.here.client(as(account)), bed.at("base"), layer);
    const bob = bed.here.client(as({ username: "bob", password: "b" }));
    await push(bob, bed.at("own"), layer, "base");
    expect(await bob.exists(bed.at("own"), layer.descriptor)).toBe(true);
  });

  test("nobody in particular may pull what is public, and nothing else", async () => {
    await using bed = await open();
    const { descriptor } = await pushImage(bed.here.client(as(account)), bed.at("public:v1"), "one");
    const anonymous = bed.here.client(as(undefined));
    expect(await anonymous.resolve(bed.at("public:v1"))).toMatchObject({ digest: descriptor.digest });
    await expect(push(anonymous, bed.at("public"), layer)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(anonymous.resolve(bed.at("team/app:v1"))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      hint: expect.stringContaining(`ramekin login ${bed.host}`),
    });
  });

  test("a server that knows only OAuth2's POST gets the password grant", async () => {
    await using bed = await open({ postOnly: true });
    await push(bed.here.client(as(account)), bed.at("app"), layer);
    const granted = bed.tokens.asked.filter(({ method }) => method === "POST");
    expect(granted[0]?.fields).toMatchObject({ grant_type: "password", username: "alice", client_id: "ramekin" });
  });

  test("a token is asked for anew before it expires, not after", async () => {
    await using bed = await open({ life: 1 });
    const registry = bed.here.client(as(account));
    await registry.exists(bed.at("app"), layer.descriptor);
    await registry.exists(bed.at("app"), layer.descriptor);
    expect(bed.tokens.asked).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await registry.exists(bed.at("app"), layer.descriptor);
    expect(bed.tokens.asked).toHaveLength(2);
  });

  test("[REG-3] the registry's authority counts for its token server as well", async () => {
    const identity = await ca.issue("both");
    await using tokens = await tokenServer({
      identity,
      users: { alice: account.password },
      allowed: { alice: { "*": everything } },
      tls: identity,
    });
    await using server = await dockerRegistry({ tokens: { realm: tokens.realm, authority: ca.certificate }, tls: identity });
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", "insecure-registries = []");
    const at = parseReference(`${server.host}/app`);
    await expect(push(here.client(as(account)), at, layer)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await here.copy(ca.certificate, `etc/docker/certs.d/${server.host}/ca.crt`);
    await push(here.client(as(account)), at, layer);
    expect(tokens.asked.length).toBeGreaterThan(0);
  });

  test("login keeps an identity token in the password's place, and it opens the registry", async () => {
    await using bed = await open();
    const report = await bed.here.client().login!(bed.host, { account });
    expect(report).toMatchObject({ username: "alice", kept: { path: expect.stringContaining(".docker/config.json") } });
    const { default: kept } = await import(`${bed.here.folder}/home/.docker/config.json`, { with: { type: "json" } });
    expect(Object.keys(kept.auths[bed.host]).sort()).toEqual(["auth", "identitytoken"]);
    expect(JSON.stringify(kept)).not.toContain(Buffer.from("alice:pass:word").toString("base64"));
    expect(await bed.here.client().account!(bed.host)).toBe("alice");

    const asked = bed.tokens.asked.length;
    await push(bed.here.client(), bed.at("app"), layer);
    expect(new Set(bed.tokens.asked.slice(asked).map(({ fields }) => fields["grant_type"]))).toEqual(new Set(["refresh_token"]));
    expect(await bed.here.client().login!(bed.host)).toEqual({ username: "alice" });
  });

  test("login with a wrong password says so and keeps nothing", async () => {
    await using bed = await open();
    const registry = bed.here.client();
    await expect(registry.login!(bed.host, { account: { ...account, password: "wrong" } })).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: expect.stringContaining(`${bed.host} refuses`),
    });
    expect(await registry.account!(bed.host)).toBeUndefined();
    await expect(registry.login!(bed.host)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  });
});
