import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { parseReference } from "@ramekin/oci";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { blob, push } from "./support/blobs.ts";
import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { faultProxy } from "./support/fault-proxy.ts";
import { type Machine, machine } from "./support/machine.ts";
import { missingTool } from "./support/missing-tool.ts";

const reason = noDockerRegistry ?? missingTool("htpasswd", "apache2-utils");
const account = { username: "alice", password: "pass:word" };

describe("[REG-2] accounts", () => {
  let server: DockerRegistry;
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  beforeAll(async () => {
    if (reason !== undefined) return;
    server = await dockerRegistry({ htpasswd: execFileSync("htpasswd", ["-nbB", "alice", "pass:word"], { encoding: "utf8" }) });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const layer = blob("layer");
  const app = () => parseReference(`${server.host}/app`);
  const config = "home/.docker/config.json";
  const read = async (here: Machine, path = config) => JSON.parse(await readFile(join(here.folder, path), "utf8"));
  const auth = { auth: Buffer.from("alice:pass:word").toString("base64") };

  test("login writes where Docker does, for its owner only, and keeps what else is there", async () => {
    await using here = await machine();
    await here.write(config, { auths: { "other.example": { auth: "eDp5" } }, HttpHeaders: { A: "b" } }, 0o644);
    await here.client().login!(server.host, { account });
    expect(await read(here)).toEqual({ auths: { "other.example": { auth: "eDp5" }, [server.host]: auth }, HttpHeaders: { A: "b" } });
    expect((await stat(join(here.folder, config))).mode & 0o777).toBe(0o600);
    await push(here.client(), app(), layer);
    expect(await here.client().logout!(server.host)).toBe(true);
    expect(await read(here)).toEqual({ auths: { "other.example": { auth: "eDp5" } }, HttpHeaders: { A: "b" } });
    expect(await here.client().logout!(server.host)).toBe(false);
    await expect(here.client().exists(app(), layer.descriptor)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  test("DOCKER_CONFIG names the folder, REGISTRY_AUTH_FILE the file; a link stays a link", async () => {
    await using here = await machine();
    await here.write("dotfiles/docker.json", {});
    await here.write("elsewhere/x", "");
    await symlink(join(here.folder, "dotfiles/docker.json"), join(here.folder, "elsewhere/config.json"));
    const docker = { DOCKER_CONFIG: join(here.folder, "elsewhere") };
    await here.client({ also: docker }).login!(server.host, { account });
    expect((await read(here, "dotfiles/docker.json")).auths).toEqual({ [server.host]: auth });
    await push(here.client({ also: docker }), app(), layer);
    const named = { REGISTRY_AUTH_FILE: join(here.folder, "auth.json") };
    await here.client({ also: named }).login!(server.host, { account });
    expect((await read(here, "auth.json")).auths).toEqual({ [server.host]: auth });
  });

  test("where podman keeps the account already, it is changed there, and logout forgets it everywhere", async () => {
    await using here = await machine();
    const stale = { auths: { [server.host]: { auth: "eDp5" } } };
    await here.write("run/containers/auth.json", stale);
    await here.write(config, stale);
    await here.client().login!(server.host, { account });
    expect((await read(here, "run/containers/auth.json")).auths).toEqual({ [server.host]: auth });
    await here.client().logout!(server.host);
    expect([(await read(here)).auths, (await read(here, "run/containers/auth.json")).auths]).toEqual([{}, {}]);
  });

  test("an auth file of one's own is the only one", async () => {
    await using here = await machine();
    const authFile = join(here.folder, "mine.json");
    await here.client().login!(server.host, { account, authFile });
    expect(existsSync(join(here.folder, config))).toBe(false);
    expect(await here.client().account!(server.host, { authFile })).toBe("alice");
    expect(await here.client().account!(server.host)).toBeUndefined();
    await here.client().logout!(undefined, { authFile });
    expect(await read(here, "mine.json")).toEqual({ auths: {} });
  });

  test("a wrong password, an empty one, and a name with a colon", async () => {
    await using here = await machine();
    const failing = (wrong: Partial<typeof account>) => here.client().login!(server.host, { account: { ...account, ...wrong } });
    await expect(failing({ password: "no" })).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: `${server.host} refuses this user name and password`,
      hint: expect.stringContaining("access token"),
    });
    await expect(failing({ password: "" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(failing({ username: "a:b" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(existsSync(join(here.folder, config))).toBe(false);
  });

  test("what is no registry is told from one that refuses", async () => {
    await using here = await machine();
    await using website = await faultProxy(undefined, () => ({ status: 404, body: "<html>" }));
    await expect(here.client().login!(website.host, { account })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("version 2 of the registry API"),
    });
  });

  test("a broken configuration file is not overwritten", async () => {
    await using here = await machine();
    await here.write(config, "{ not json");
    await expect(here.client().login!(server.host, { account })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await readFile(join(here.folder, config), "utf8")).toBe("{ not json");
  });

  describe("credential helpers", () => {
    /** Keeps secrets in files beside it, by the protocol of docker-credential-helpers. */
    const helper = `#!/bin/sh
store="$(dirname "$0")/../secrets"; mkdir -p "$store"
name() { printf %s "$1" | tr -c 'a-zA-Z0-9.\\n' _; }
echo "$1" >> "$store/log"
case "$1" in
store) body=$(cat); server=$(printf %s "$body" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); printf %s "$body" > "$store/$(name "$server").json" ;;
get) file="$store/$(name "$(cat)").json"; [ -f "$file" ] && cat "$file" || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) rm -f "$store/$(name "$(cat)").json" ;;
list) printf '{'; first=; for f in "$store"/*.json; do [ -f "$f" ] || continue
  printf '%s"%s":"x"' "$first" "$(sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' "$f")"; first=,; done; printf '}' ;;
esac
`;
    const withHelper = async (settings: object) => {
      const here = await machine();
      await here.write("bin/docker-credential-kitchen", helper, 0o755);
      await here.write(config, settings);
      return here;
    };

    test.each([
      ["credsStore", () => ({ credsStore: "kitchen" })],
      ["credHelpers", () => ({ credHelpers: { [server.host]: "kitchen" }, credsStore: "absent" })],
    ])("%s: login stores, pulls get, logout erases; the file has no secret", async (_, settings) => {
      await using here = await withHelper(settings());
      expect(await here.client().login!(server.host, { account })).toEqual({ username: "alice", kept: { helper: "kitchen" } });
      expect(await read(here)).toEqual({ ...settings(), auths: { [server.host]: {} } });
      await push(here.client(), app(), layer);
      expect(await here.client().account!(server.host)).toBe("alice");
      await here.client().logout!(server.host);
      expect((await read(here)).auths).toEqual({});
      await expect(here.client().exists(app(), layer.descriptor)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
      const log = await readFile(join(here.folder, "secrets/log"), "utf8");
      expect(new Set(log.trim().split("\n"))).toEqual(new Set(["store", "get", "erase"]));
    });

    test("logging out everywhere asks the helper what it has", async () => {
      await using here = await withHelper({ credsStore: "kitchen" });
      await here.client().login!(server.host, { account });
      expect(await here.client().logout!(undefined)).toBe(true);
      expect(await here.client().account!(server.host)).toBeUndefined();
      expect(await readFile(join(here.folder, "secrets/log"), "utf8")).toContain("list");
    });

    test("a helper that is missing, or breaks, is warned of and asked for nothing more: what is public stays within reach", async () => {
      await using open = await dockerRegistry();
      await using here = await machine();
      await here.write("bin/docker-credential-broken", "#!/bin/sh\ncat > /dev/null; echo out of order; exit 3\n", 0o755);
      for (const [name, said] of [
        ["absent", /"absent" is not installed/],
        ["broken", /"broken" cannot get: out of order/],
        ["../../bin/sh", /no name of a credential helper/],
      ] as const) {
        await here.write(config, { credsStore: name });
        const registry = here.client();
        await push(registry, parseReference(`${open.host}/app`), layer);
        await expect(registry.exists(app(), layer.descriptor)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
        expect(here.warnings.at(-1)).toMatch(said);
        await expect(registry.login!(server.host, { account })).rejects.toMatchObject({
          message: expect.stringMatching(/credential helper/),
        });
      }
    });
  });
});
