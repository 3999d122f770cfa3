import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  authority,
  busyboxImage,
  command,
  type DockerRegistry,
  dockerRegistry,
  kitchen,
  missing,
  needs,
  noAuthority,
  noDockerRegistry,
  noKitchen,
  noPty,
  succeed,
  type TestImage,
} from "../support/index.ts";

const reason = noKitchen ?? noDockerRegistry ?? missing("htpasswd", "skopeo");
needs(reason);
const env = { DOCKER_CONFIG: "", REGISTRY_AUTH_FILE: "" };

let server: DockerRegistry;
beforeAll(async () => {
  if (reason !== undefined) return;
  server = await dockerRegistry({ htpasswd: execFileSync("htpasswd", ["-nbB", "alice", "pass:word"], { encoding: "utf8" }) });
  for (const tag of ["latest", "v1", "v2"]) await publishAs(await busyboxImage(), tag);
});
afterAll(() => server?.[Symbol.asyncDispose]());

const publishAs = ({ folder, name }: TestImage, tag: string) =>
  succeed([
    ...["skopeo", "copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", "alice:pass:word"],
    ...[`oci:${folder}:docker.io/library/${name}:latest`, `docker://${server.host}/team/app:${tag}`],
  ]);
const configOf = ({ folder }: { folder: string }) => join(folder, "home/.docker/config.json");

describe("[REG-2] login", () => {
  test("[login --username] [login --password] opens what is private, until logout", async () => {
    await using here = await kitchen();
    const app = `${server.host}/team/app`;
    const before = await here.ramekin(["pull", app], { env });
    expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining(`ramekin login ${server.host}`) });
    const login = await here.ramekin(["login", "-u", "alice", "-p", "pass:word", server.host], { env });
    expect(login).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
    expect(login.stderr).toContain("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    expect(login.stderr).toContain(`stored unencrypted in '${configOf(here)}'`);
    await here.output(["pull", "--quiet", app], { env });
    const again = await here.ramekin(["login", server.host], { env });
    expect(again).toMatchObject({ code: 0, stdout: "Login Succeeded\n", stderr: expect.stringContaining("[Username: alice]") });
    expect(await here.output(["logout", server.host], { env })).toBe(`Removing login credentials for ${server.host}`);
    expect(await here.output(["logout", server.host], { env })).toBe(`Not logged in to ${server.host}`);
    expect((await here.ramekin(["pull", `${app}:v1`], { env })).code).toBe(1);
  });

  test("[login --password-stdin] from a pipe; what is wrong with the flags is said before anybody is asked", async () => {
    await using here = await kitchen();
    const login = await here.ramekin(["login", "-u", "alice", "--password-stdin", server.host], { env, input: "pass:word\n" });
    expect(login).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
    for (const [flags, message] of [
      [["--password-stdin"], "requires --username"],
      [["-u", "alice", "-p", "x", "--password-stdin"], "cannot specify both --password and --password-stdin"],
    ] as const) {
      const wrong = await here.ramekin(["login", ...flags, server.host], { env, input: "x" });
      expect(wrong).toMatchObject({ code: 125, stderr: expect.stringContaining(message) });
    }
    const empty = await here.ramekin(["login", "-u", "alice", "--password-stdin", server.host], { env });
    expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining("password on stdin is empty") });
    const nobody = await here.ramekin(["login", "-u", "bob", server.host], { env });
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining("non TTY device") });
  });

  test("a wrong password keeps nothing", async () => {
    await using here = await kitchen();
    const { code, stdout, stderr } = await here.ramekin(["login", "-u", "alice", "--password-stdin", server.host], { env, input: "wrong" });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: expect.stringContaining(`${server.host} refuses`) });
    expect(existsSync(configOf(here))).toBe(false);
  });

  test.each(["not a registry", "debian", "https://"])("no registry: %j", async (name) => {
    await using here = await kitchen();
    expect((await here.ramekin(["login", "-u", "a", "-p", "b", name], { env })).code).toBe(1);
  });

  test("at a terminal it asks, and shows no password", async (context) => {
    if (noPty !== undefined) return context.skip(noPty);
    await using here = await kitchen();
    const steps = [
      { expect: "Username for .*: " },
      { send: "alice\r" },
      { expect: "Password: " },
      // With a slip that a backspace takes back.
      { send: "pass:wordd\x7f\r" },
      { expect: "Login Succeeded" },
    ];
    const { code, output } = await here.terminal(["login", server.host], steps, { env });
    expect(code).toBe(0);
    expect(output).not.toContain("pass:word");
    const interrupted = await here.terminal(
      ["login", "--authfile", join(here.folder, "other.json"), "-u", "alice", server.host],
      [{ expect: "Password: " }, { send: "\x03" }],
      { env },
    );
    expect(interrupted.code).toBe(130);
  });

  test("[login --authfile] [login --get-login] [logout --authfile] [logout --all] are podman's, on a file that podman reads", async (context) => {
    const absent = missing("podman");
    if (absent !== undefined) return context.skip(absent);
    await using here = await kitchen();
    const file = join(here.folder, "auth.json");
    const at = ["--authfile", file, server.host];
    await here.output(["login", "-u", "alice", "-p", "pass:word", ...at], { env });
    expect(existsSync(configOf(here))).toBe(false);
    expect(await here.output(["login", "--get-login", ...at], { env })).toBe("alice");
    expect((await succeed(["podman", "login", "--get-login", ...at])).stdout.trim()).toBe("alice");
    expect(await here.ramekin(["login", "--get-login", server.host], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`not logged in to ${server.host}`),
    });
    expect(await here.output(["logout", ...at], { env })).toContain("Removing");
    expect((await command(["podman", "login", "--get-login", ...at])).code).not.toBe(0);

    await succeed(["podman", "login", "--tls-verify=false", "-u", "alice", "-p", "pass:word", ...at]);
    await here.output(["pull", "--quiet", `${server.host}/team/app`], { env: { ...env, REGISTRY_AUTH_FILE: file } });
    expect(await here.output(["logout", "--all", "--authfile", file], { env })).toBe("Removed login credentials for all registries");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ auths: {} });
  });

  test("what docker login has written opens the registry, and docker reads what we write", async (context) => {
    const absent = missing("docker");
    if (absent !== undefined) return context.skip(absent);
    await using here = await kitchen();
    const docker = { DOCKER_CONFIG: join(here.folder, "docker"), DOCKER_HOST: "unix:///nowhere.sock", REGISTRY_AUTH_FILE: "" };
    // The command line of Docker logs in by itself where it finds no daemon, since 27.
    const login = await command(["docker", "login", "-u", "alice", "--password-stdin", server.host], { env: docker, input: "pass:word" });
    if (login.code !== 0) return context.skip(`this docker needs a daemon to log in: ${login.stderr.trim().split("\n").at(-1)}`);
    await here.output(["pull", "--quiet", `${server.host}/team/app`], { env: docker });
    await here.output(["logout", server.host], { env: docker });
    await here.output(["login", "-u", "alice", "-p", "pass:word", server.host], { env: docker });
    expect((await command(["docker", "login", server.host], { env: docker })).stderr).toContain("[Username: alice]");
  });
});

describe("[REG-6] search", () => {
  test("[search --format] [search --limit] lists the tags of a repository, as podman does", async () => {
    await using here = await kitchen();
    const app = `${server.host}/team/app`;
    await here.output(["login", "-u", "alice", "-p", "pass:word", server.host], { env });
    const table = (await here.output(["search", app], { env })).split("\n").map((line) => line.split(/\s+/));
    expect(table).toEqual([["NAME", "TAG"], ...["latest", "v1", "v2"].map((tag) => [app, tag])]);
    expect(await here.output(["search", "--limit", "1", "--format", "{{.Name}}:{{.Tag}}", app], { env })).toBe(`${app}:latest`);
    if (missing("podman") === undefined) {
      const file = ["--tls-verify=false", "--authfile", configOf(here)];
      const theirs = (await succeed(["podman", "search", "--list-tags", ...file, app])).stdout;
      expect(
        theirs
          .trim()
          .split("\n")
          .map((line) => line.trim().split(/\s+/)),
      ).toEqual(table);
    }
    expect(await here.ramekin(["search", `${app}:v1`], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("leave the tag away"),
    });
    expect(await here.ramekin(["search", `${server.host}/nobody`], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${server.host}/nobody`),
    });
  });
});

describe("[REG-3] certificates", () => {
  test("what the machine trusts is trusted; without that, the reason and a hint", async (context) => {
    if (noAuthority !== undefined) return context.skip(noAuthority);
    await using ca = await authority();
    await using secure = await dockerRegistry({ tls: await ca.issue("server") });
    const { folder, name } = await busyboxImage();
    const to = `docker://${secure.host}/app:latest`;
    await succeed(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", `oci:${folder}:docker.io/library/${name}:latest`, to]);
    await using here = await kitchen();
    await mkdir(join(here.folder, "home/.config/ramekin"), { recursive: true });
    // Registries of this machine have to prove themselves as well.
    await writeFile(join(here.folder, "home/.config/ramekin/registries.toml"), "insecure-registries = []\n");
    const refused = await here.ramekin(["pull", `${secure.host}/app`], { env });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/unknown authority\nhint: .*certs\.d/) });
    // What update-ca-certificates would do, for this one command.
    await here.output(["pull", "--quiet", `${secure.host}/app`], { env: { ...env, SSL_CERT_FILE: ca.certificate } });
  });
});
