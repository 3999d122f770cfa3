import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { parseReference } from "@ramekin/oci";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Authority, authority, noAuthority } from "./support/authority.ts";
import { blob, collect, push } from "./support/blobs.ts";
import { type DockerRegistryOptions, dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { faultProxy } from "./support/fault-proxy.ts";
import { forwardProxy } from "./support/forward-proxy.ts";
import { machine } from "./support/machine.ts";

const reason = noDockerRegistry ?? noAuthority;
/** Without Docker's rule about this machine, where every registry of a test is. */
const strict = "insecure-registries = []\n";

describe("[REG-3] certificates", () => {
  let ca: Authority;
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  beforeAll(async () => {
    if (reason === undefined) ca = await authority();
  });
  afterAll(() => ca?.[Symbol.asyncDispose]());

  const secure = async (name: string, issue = {}, more: Partial<DockerRegistryOptions["tls"]> = {}) =>
    dockerRegistry({ tls: { ...(await ca.issue(name, issue)), ...more } });
  const layer = blob("layer");
  const app = (host: string) => parseReference(`${host}/app`);

  test.each([
    ["Docker's folder", "etc/docker/certs.d"],
    ["that of containers", "etc/containers/certs.d"],
    ["the user's own", "home/.config/containers/certs.d"],
    ["Ramekin's", "etc/ramekin/certs.d"],
  ])("a private authority from %s", async (_, folder) => {
    await using server = await secure("server");
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", strict);
    await here.copy(ca.certificate, `${folder}/${server.host}/ca.crt`);
    await push(here.client(), app(server.host), layer);
    expect(await here.client().exists(app(server.host), layer.descriptor)).toBe(true);
  });

  test("an unknown authority is refused, says so and says where to put its certificate", async () => {
    await using server = await secure("server");
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", strict);
    await expect(here.client().exists(app(server.host), layer.descriptor)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("signed by an unknown authority"),
      hint: expect.stringContaining(`/etc/docker/certs.d/${server.host}/ca.crt`),
    });
  });

  test("on this machine anybody is believed, as Docker does, until somebody gives an authority", async () => {
    await using server = await secure("server");
    await using here = await machine();
    expect(await here.client().exists(app(server.host), layer.descriptor)).toBe(false);
    await using other = await authority();
    await here.copy(other.certificate, `etc/docker/certs.d/${server.host}/ca.crt`);
    await expect(here.client().exists(app(server.host), layer.descriptor)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test.each(["127.0.0.0/8", "127.0.0.1"])("insecure-registries has %s", async (insecure) => {
    await using server = await secure("server");
    await using plain = await dockerRegistry();
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", `insecure-registries = ["${insecure}"]\n`);
    for (const { host } of [server, plain]) expect(await here.client().exists(app(host), layer.descriptor)).toBe(false);
  });

  test("plain http is not spoken to a registry outside of an explicit list, on this machine either", async () => {
    await using plain = await dockerRegistry();
    await using here = await machine();
    await here.write("etc/ramekin/registries.toml", 'insecure-registries = ["10.0.0.0/8"]\n');
    await expect(here.client().exists(app(plain.host), layer.descriptor)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("does not speak TLS"),
      hint: expect.stringContaining("insecure"),
    });
  });

  test.each([
    ["expired", { days: -1 }, "its certificate has expired"],
    ["for another name", { names: "DNS:elsewhere.test" }, "its certificate is for another name"],
  ])("a certificate that is %s", async (name, issue, message) => {
    await using server = await secure(name.replaceAll(" ", "-"), issue);
    await using here = await machine();
    await here.copy(ca.certificate, `etc/docker/certs.d/${server.host}/ca.crt`);
    const failing = here.client().exists(app(server.host), layer.descriptor);
    await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining(message) });
    await expect(failing).rejects.toMatchObject({ hint: expect.stringMatching(/certificate/) });
  });

  test("a client certificate, from a folder and from registries.toml; without one, the reason is named", async () => {
    await using server = await secure("server", {}, { clients: ca.certificate });
    const client = await ca.issue("client");
    await using without = await machine();
    await without.copy(ca.certificate, `etc/docker/certs.d/${server.host}/ca.crt`);
    await expect(without.client({ retry: { attempts: 2, delay: 1 } }).exists(app(server.host), layer.descriptor)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("client certificate"),
      hint: expect.stringContaining("client.cert"),
    });

    await using folder = await machine();
    await folder.copy(ca.certificate, `etc/docker/certs.d/${server.host}/ca.crt`);
    await folder.copy(client.cert, `etc/docker/certs.d/${server.host}/client.cert`);
    await folder.copy(client.key, `etc/docker/certs.d/${server.host}/client.key`);
    await push(folder.client(), app(server.host), layer);

    await using file = await machine();
    const lines = [
      `[registry."${server.host}"]`,
      `ca = "${ca.certificate}"`,
      `client-cert = "${client.cert}"`,
      `client-key = "${client.key}"`,
    ];
    await file.write("home/.config/ramekin/registries.toml", lines.join("\n"));
    expect(await file.client().exists(app(server.host), layer.descriptor)).toBe(true);
  });

  test("a certificate without its key is named", async () => {
    await using here = await machine();
    await here.write("etc/docker/certs.d/registry.test/client.cert", "x");
    await expect(here.client().exists(app("registry.test"), layer.descriptor)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("client.cert has no key"),
    });
  });

  test("a redirect from https to http is refused, and nobody hears of it", async () => {
    await using thief = await faultProxy(undefined, () => ({ status: 200 }));
    const { cert, key } = await ca.issue("redirecting");
    const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, (_, response) => {
      response.writeHead(307, { location: `http://${thief.host}/` }).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    try {
      await using here = await machine();
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await here.copy(ca.certificate, `etc/docker/certs.d/${host}/ca.crt`);
      await expect(collect(here.client().fetch(app(host), layer.descriptor))).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        hint: expect.stringContaining("only redirects to https"),
      });
      expect(thief.seen).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("proxies from the environment: CONNECT for https, absolute URLs for http, NO_PROXY for neither", async () => {
    await using server = await secure("server");
    await using plain = await dockerRegistry();
    await using proxy = await forwardProxy({ "registry.test:443": server.host, "plain.test:80": plain.host });
    await using here = await machine();
    await here.copy(ca.certificate, "etc/docker/certs.d/registry.test/ca.crt");
    const url = proxy.url.replace("//", "//cook:pot%2F@");
    const client = here.client({
      also: { HTTPS_PROXY: url, http_proxy: url, NO_PROXY: "example.com,10.0.0.0/8" },
      insecure: ["plain.test"],
    });
    await push(client, app("registry.test"), layer);
    expect(await client.exists(app("registry.test"), layer.descriptor)).toBe(true);
    await push(client, app("plain.test"), layer);
    // This machine is never asked for through a proxy.
    expect(await client.exists(app(plain.host), layer.descriptor)).toBe(true);
    const lines = proxy.asked.map(({ line }) => line);
    expect(lines).toContain("CONNECT registry.test:443");
    expect(lines.some((line) => line.startsWith("POST http://plain.test/v2/app/blobs/uploads/"))).toBe(true);
    expect(lines.some((line) => line.includes("127.0.0.1"))).toBe(false);
    expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(
      new Set([`Basic ${Buffer.from("cook:pot/").toString("base64")}`]),
    );
  });

  test("a proxy that refuses, and one that is not there, are named", async () => {
    await using proxy = await forwardProxy({});
    await using here = await machine();
    const refused = here.client({ also: { HTTPS_PROXY: proxy.url } }).exists(app("registry.test"), layer.descriptor);
    await expect(refused).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(/proxy .* answers 403/) });
    const absent = here.client({ also: { HTTPS_PROXY: "127.0.0.1:1" } }).exists(app("registry.test"), layer.descriptor);
    await expect(absent).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("cannot reach the proxy") });
    const wrong = here.client({ also: { HTTPS_PROXY: "socks5://user:secret@127.0.0.1:1" } });
    await expect(wrong.exists(app("registry.test"), layer.descriptor)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.not.stringContaining("secret"),
    });
  });
});

test("[REG-3] a host name that does not exist", async () => {
  await using here = await machine();
  await expect(here.client().resolve(parseReference("nobody.invalid/app"))).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("nobody.invalid"),
    hint: expect.stringContaining("name"),
  });
});
