import { arch } from "node:os";
import type { RegistryAccess } from "@ramekin/core";
import { parsePlatform } from "@ramekin/oci";
import { describe, expect, test } from "vitest";
import { digest, imageInfo } from "./samples.ts";
import { ramekin } from "./world.ts";

interface Asked {
  readonly access?: RegistryAccess | undefined;
}

const descriptor = { mediaType: "application/x", digest: digest("b"), size: 2 };
const name = "localhost:5000/app:1";

/** What a command line asks the engine for, beside its exit status and its words. */
async function ask(...argv: string[]) {
  const asked: (Asked & { readonly platform?: unknown })[] = [];
  const see = <T>(value: T) => {
    return async (_: unknown, options: Asked = {}) => {
      asked.push(options);
      return value;
    };
  };
  const engine = {
    pull: see(imageInfo()),
    push: see({ name, descriptor }),
    remoteTags: see(["1"]),
    referrers: see([]),
    inspectManifest: see({ reference: name, descriptor, bytes: new TextEncoder().encode("{}") }),
    pushManifestList: see({ name, descriptor }),
  };
  return { ...(await ramekin(argv, { engine })), asked };
}

const verbs = [
  ["pull", name],
  ["push", name],
  ["search", "localhost:5000/app"],
  ["referrers", name],
  ["manifest", "inspect", name],
  ["manifest", "push", name],
];

describe.each(verbs.map((words) => [words.slice(0, -1).join(" "), words] as const))("ramekin %s", (_, words) => {
  const access = async (...flags: string[]) => (await ask(...words, ...flags)).asked[0]?.access;

  test("speaks to registries as configured, unless told otherwise", async () => {
    expect(await access()).toBeUndefined();
    expect(await access("--tls-verify")).toEqual({ verify: true });
    expect(await access("--tls-verify=false")).toEqual({ verify: false });
    expect(await access("--authfile", "/a.json", "--cert-dir", "/certs", "--creds", "alice:pass:word")).toEqual({
      ...{ authFile: "/a.json", certificates: "/certs" },
      account: { username: "alice", password: "pass:word" },
    });
  });

  test("wants a user name, and a password or a terminal to ask for one", async () => {
    expect(await ask(...words, "--creds", ":x")).toMatchObject({ status: 125, stderr: expect.stringContaining("no user name"), asked: [] });
    expect(await ask(...words, "--creds", "alice")).toMatchObject({
      ...{ status: 1, asked: [] },
      stderr: expect.stringContaining("--creds has no password\nhint: --creds USER:PASSWORD"),
    });
  });
});

test("--insecure is --tls-verify=false by Docker's name, and cannot be both", async () => {
  expect((await ask("manifest", "inspect", "--insecure", name)).asked[0]?.access).toEqual({ verify: false });
  expect(await ask("manifest", "push", "--insecure", "--tls-verify", name)).toMatchObject({ status: 125, asked: [] });
});

test("[pull --arch] [pull --os] [pull --variant] are a platform in three parts", async () => {
  const platform = async (...flags: string[]) => (await ask("pull", ...flags, name)).asked[0]?.platform;
  expect(await platform("--arch", "aarch64")).toEqual({ os: "linux", architecture: "arm64" });
  expect(await platform("--arch", "arm", "--variant", "v6")).toEqual({ os: "linux", architecture: "arm", variant: "v6" });
  expect(await platform("--os", "windows")).toEqual(parsePlatform(`windows/${arch()}`));
  expect(await ask("pull", "--platform", "linux/arm64", "--arch", "arm64", name)).toMatchObject({ status: 125, asked: [] });
});

test("[pull --disable-content-trust] [push --disable-content-trust] is how it is anyway; asking for trust is refused", async () => {
  for (const verb of ["pull", "push"]) {
    expect(await ask(verb, "--disable-content-trust", name)).toMatchObject({ status: 0, asked: [{}] });
    expect(await ask(verb, "--disable-content-trust=false", name)).toMatchObject({
      ...{ status: 1, asked: [] },
      stderr: expect.stringMatching(/Docker Content Trust cannot be verified.*\nhint: /),
    });
  }
});

test("[search --list-tags] [search --no-trunc] are what it does; anything else is refused, with the reason", async () => {
  const search = (...flags: string[]) => ask("search", ...flags, "localhost:5000/app");
  expect(await search("--list-tags", "--no-trunc")).toMatchObject({
    status: 0,
    stdout: "NAME                 TAG\nlocalhost:5000/app   1\n",
  });
  expect(await search("--list-tags=false")).toMatchObject({
    status: 1,
    asked: [],
    stderr: expect.stringContaining("Docker Hub's website"),
  });
  expect(await search("--no-trunc=false")).toMatchObject({ status: 1, asked: [], stderr: expect.stringContaining("cut short") });
  expect(await search("--filter", "is-official")).toMatchObject({ status: 125, asked: [], stderr: expect.stringContaining("use grep") });
});

test("[login --verbose] says where the account is kept", async () => {
  const login = (kept: object) =>
    ramekin(["login", "-v", "-u", "alice", "--password-stdin", "r.test"], {
      stdin: "x\n",
      engine: { login: async () => ({ kept }) as never },
    });
  expect((await login({ path: "/home/a/.docker/config.json" })).stdout).toBe("Used: /home/a/.docker/config.json\nLogin Succeeded\n");
  expect((await login({ helper: "pass" })).stdout).toBe("Used: pass\nLogin Succeeded\n");
});
