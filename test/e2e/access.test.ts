import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  authority,
  busyboxImage,
  type DockerRegistry,
  dockerRegistry,
  missing,
  needs,
  noAuthority,
  noDockerRegistry,
  useKitchen,
} from "../support/index.ts";

const reason = noDockerRegistry ?? noAuthority ?? missing("htpasswd");
needs(reason);
const here = useKitchen(async () => ({ images: [await busyboxImage()] }), reason);
const env = { DOCKER_CONFIG: "", REGISTRY_AUTH_FILE: "" };

const opened = new AsyncDisposableStack();
let locked: DockerRegistry;
let secure: DockerRegistry;
let certificates: string;
beforeAll(async () => {
  if (reason !== undefined) return;
  const htpasswd = execFileSync("htpasswd", ["-nbB", "alice", "pass:word"], { encoding: "utf8" });
  locked = opened.use(await dockerRegistry({ htpasswd }));
  const ca = opened.use(await authority());
  secure = opened.use(await dockerRegistry({ htpasswd, tls: await ca.issue("server") }));
  certificates = join(here().folder, "certificates");
  await mkdir(certificates);
  execFileSync("cp", [ca.certificate, join(certificates, "any-name.crt")]);
  // Registries of this machine have to prove themselves as well.
  const file = join(here().folder, "home/.config/ramekin/registries.toml");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `insecure-registries = ["${locked.host}"]\n`);
});
afterAll(() => opened.disposeAsync());

/** Each verb that speaks to a registry, in an order in which one leaves what the next one needs. */
async function everyVerb(host: string, ...flags: string[]): Promise<void> {
  const app = `${host}/team/app:v1`;
  const done = (...args: string[]) => here().output(args, { env });
  await done("tag", "busybox", app);
  await done("push", "--quiet", ...flags, app);
  await done("pull", "--quiet", ...flags, app);
  expect(await done("search", "--format", "{{.Tag}}", ...flags, `${host}/team/app`)).toBe("v1");
  expect(JSON.parse(await done("manifest", "inspect", ...flags, app))).toMatchObject({ schemaVersion: 2 });
  expect(await done("referrers", "--quiet", ...flags, app)).toBe("");
  const member = JSON.parse(await done("image", "inspect", app))[0].Id;
  await done("manifest", "create", `${host}/team/list`, member);
  await done("manifest", "push", "--purge", ...flags, `${host}/team/list`);
  await done("pull", "--quiet", ...flags, `${host}/team/list`);
  await done("rmi", "--force", `${host}/team/list`, app);
}

const refused = async (args: readonly string[], text: string) =>
  expect(await here().ramekin(args, { env })).toMatchObject({ code: 1, stderr: expect.stringContaining(text) });

describe("[REG-2] an account for one command", () => {
  test("[pull --creds] [push --creds] [search --creds] [referrers --creds] [manifest inspect --creds] [manifest push --creds] is used and not kept", async () => {
    await everyVerb(locked.host, "--creds", "alice:pass:word");
    await refused(["pull", `${locked.host}/team/app:v1`], "ramekin login");
    await refused(["pull", "--creds", "alice:wrong", `${locked.host}/team/app:v1`], "401");
    expect(existsSync(join(here().folder, "home/.docker/config.json"))).toBe(false);
  });

  test("[pull --authfile] [push --authfile] [search --authfile] [referrers --authfile] [manifest inspect --authfile] [manifest push --authfile] from a file that is not the usual one", async () => {
    const file = join(here().folder, "auth.json");
    await refused(["pull", "--authfile", file, `${locked.host}/team/app:v1`], `no authentication file ${file}`);
    await here().output(["login", "--authfile", file, "-u", "alice", "-p", "pass:word", locked.host], { env });
    await everyVerb(locked.host, "--authfile", file);
  });
});

describe("[REG-3] certificates for one command", () => {
  const account = ["--creds", "alice:pass:word"];

  test("[pull --cert-dir] [push --cert-dir] [search --cert-dir] [referrers --cert-dir] [manifest inspect --cert-dir] [manifest push --cert-dir] [login --cert-dir] from a folder of any name", async () => {
    await everyVerb(secure.host, ...account, "--cert-dir", certificates);
    await refused(["pull", ...account, `${secure.host}/team/app:v1`], "unknown authority");
    await refused(["pull", "--cert-dir", "/nowhere", `${secure.host}/team/app:v1`], "no folder /nowhere");
    const login = ["login", "-u", "alice", "-p", "pass:word", "--authfile", join(here().folder, "login.json")];
    await refused([...login, secure.host], "unknown authority");
    expect(await here().output([...login, "--cert-dir", certificates, secure.host], { env })).toBe("Login Succeeded");
  });

  test("[pull --tls-verify] [push --tls-verify] [search --tls-verify] [referrers --tls-verify] [manifest inspect --tls-verify] [manifest push --tls-verify] [login --tls-verify] goes before what is configured", async () => {
    await everyVerb(secure.host, ...account, "--tls-verify=false");
    const login = ["login", "-u", "alice", "-p", "pass:word", "--authfile", join(here().folder, "login.json")];
    expect(await here().output([...login, "--tls-verify=false", secure.host], { env })).toBe("Login Succeeded");
    // Plain HTTP, to which that one may speak, is neither.
    const text = "it does not speak TLS";
    const app = `${locked.host}/team/app:v1`;
    await refused([...login, "--tls-verify", locked.host], text);
    await here().output(["tag", "busybox", app]);
    for (const words of [
      ["pull", app],
      ["push", app],
      ["search", `${locked.host}/team/app`],
    ])
      await refused([words[0] as string, ...account, "--tls-verify", words[1] as string], text);
    await here().output(["rmi", app]);
    await refused(["manifest", "inspect", ...account, "--tls-verify", app], text);
  });
});
