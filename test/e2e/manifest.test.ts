import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  busyboxImage,
  canonical,
  command,
  type DockerRegistry,
  dockerRegistry,
  faultProxy,
  kitchen,
  missing,
  needs,
  noDockerRegistry,
  noKitchen,
  publish,
  type SeenRequest,
  sha256,
  smallImage,
  succeed,
  tar,
  types,
  useKitchen,
  useRegistry,
} from "../support/index.ts";

const registry = useRegistry(async () => [await busyboxImage()]);
const here = useKitchen(async () => ({}));
const at = (name: string, host = registry().host) => `${host}/${name}`;
const ramekin = (...args: string[]) => here().ramekin(["manifest", ...args]);
const output = (...args: string[]) => here().output(["manifest", ...args]);
const raw = async (name: string) => (await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`])).stdout;

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly { readonly mediaType: string; readonly digest: string; readonly platform?: Record<string, unknown> }[];
}
const listed = async (name: string) => JSON.parse(await output("inspect", name)) as Index;
const platforms = async (name: string) => (await listed(name)).manifests.map(({ platform }) => platform);

const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

/** `oci-amd64`, `oci-arm` and the same in Docker's format, each with a layer of its own. */
async function publishPlatforms({ host }: Pick<DockerRegistry, "host">): Promise<void> {
  for (const [architecture, variant] of [["amd64"], ["arm", "v7"]] as const) {
    const image = await smallImage(join(here().folder, architecture), `oci-${architecture}`, {
      tars: [tar([{ path: "arch", content: architecture }])],
      platform: { os: "linux", architecture },
      fields: variant === undefined ? {} : { variant },
    });
    await publish(image, { host });
    const from = `oci:${image.folder}:${canonical(image.name)}`;
    const to = `docker://${host}/docker-${architecture}:latest`;
    await succeed(["skopeo", "copy", "--quiet", "--format", "v2s2", "--dest-tls-verify=false", from, to]);
  }
}

beforeAll(async () => {
  if ((noKitchen ?? noDockerRegistry) === undefined) await publishPlatforms(registry());
});

describe("[REG-5] beside docker manifest", () => {
  needs(missing("docker"));
  const theirs = async (...args: string[]) => {
    const [verb = "", ...rest] = args;
    const insecure = ["annotate", "rm"].includes(verb) ? [] : ["--insecure"];
    return (await succeed(["docker", "manifest", verb, ...insecure, ...rest], { env: here().env })).stdout.replace(/\n$/, "");
  };

  test.each(["docker-amd64", "docker-arm", "oci-amd64", "oci-arm"])(
    "[manifest inspect --verbose] %s, with and without, to the byte",
    async (name) => {
      expect(await output("inspect", at(name))).toBe(await theirs("inspect", at(name)));
      expect(await output("inspect", "--verbose", at(name))).toBe(await theirs("inspect", "--verbose", at(name)));
      expect(await output("inspect", "-v", at(name))).toBe(await output("inspect", "--verbose", at(name)));
    },
  );

  test.each(["docker", "oci"])("a list of %s images: made, inspected, annotated and pushed, each to the byte", async (kind) => {
    const [list, first, second] = [at(`same:${kind}`), at(`${kind}-amd64`), at(`${kind}-arm`)];
    const both = async (...args: string[]) => {
      const ours = await output(...args);
      expect(ours).toBe(await theirs(...args));
      return ours;
    };
    await both("create", list, first, second);
    await both("inspect", list);
    await both("inspect", "-v", list);
    await both("inspect", list, second);
    await both("inspect", "-v", list, second);
    await both("annotate", "--arch", "arm64", "--variant", "v8", "--os-version", "6", "--os-features", "a,b", list, second);
    await both("inspect", list);
    const pushed = await output("push", "--purge", list);
    expect(sha256(await raw(list))).toBe(pushed.split("\n").at(-1));
    expect(await theirs("push", "--purge", list)).toBe(pushed);
    // From the registry now.
    await both("inspect", list);
    await both("inspect", "-v", list);
  });
});

describe("manifest inspect", () => {
  test("[manifest inspect] of a registry, by tag and by digest: the very document, and nothing is pulled", async () => {
    const before = await here().traces();
    const document = await raw(at("oci-arm"));
    expect(JSON.parse(await output("inspect", at("oci-arm")))).toEqual(JSON.parse(document));
    expect(JSON.parse(await output("inspect", `${at("oci-arm")}@${sha256(document)}`))).toEqual(JSON.parse(document));
    expect(await here().traces()).toEqual(before);
  });

  test("an image that is only here, by name and by id", async () => {
    const { folder } = await busyboxImage();
    await using fresh = await kitchen({ images: [await busyboxImage()] });
    await fresh.output(["tag", "busybox", at("only-here")]);
    const { manifests } = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
    const document = JSON.parse(await readFile(join(folder, "blobs", manifests[0].digest.replace(":", "/")), "utf8"));
    expect(JSON.parse(await fresh.output(["manifest", "inspect", at("only-here")]))).toEqual(document);
    expect(JSON.parse(await fresh.output(["manifest", "inspect", manifests[0].digest]))).toEqual(document);
  });

  test.each([
    ["an unknown image", () => [at("nobody/nothing")], "no such manifest"],
    ["a list that is not here", () => [at("nowhere"), at("oci-arm")], "no such manifest"],
    ["nobody listens", () => ["127.0.0.1:1023/app"], "127.0.0.1:1023"],
    ["no reference", () => ["Upper"], "must be lower case"],
  ])("%s", async (_, names, message) => {
    const { code, stdout, stderr } = await ramekin("inspect", ...names());
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: expect.stringContaining(message) });
    expect(stderr).toContain("hint: ");
  });
});

describe("manifest create", () => {
  test("[manifest create] platforms from the images, the list an image of the store", async () => {
    const list = at("made:1");
    expect(await output("create", list, at("oci-amd64"), at("oci-arm"))).toBe(`Created manifest list ${list}`);
    expect(await platforms(list)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "arm", os: "linux", variant: "v7" },
    ]);
    expect(await here().output(["images", "--format", "{{.Repository}}:{{.Tag}}"])).toContain(list);
    expect((await here().ramekin(["system", "fsck"])).code).toBe(0);
  });

  test("a docker list of docker images, an OCI index of both kinds", async () => {
    await output("create", at("kinds:docker"), at("docker-amd64"), at("docker-arm"));
    expect((await listed(at("kinds:docker"))).mediaType).toBe(dockerList);
    await output("create", at("kinds:mixed"), at("docker-amd64"), at("oci-arm"));
    const mixed = await listed(at("kinds:mixed"));
    expect(mixed.mediaType).toBe(types.index);
    expect(mixed.manifests[0]?.mediaType).toBe(dockerManifest);
  });

  test("[manifest create --amend] adds; a name that stands for another image now replaces the old one", async () => {
    const list = at("amended");
    await output("create", list, at("oci-amd64"));
    expect(await ramekin("create", list, at("oci-arm"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("refusing to amend an existing manifest list with no --amend flag"),
    });
    await output("create", "--amend", list, at("oci-arm"));
    await output("annotate", "--variant", "v6", list, at("oci-arm"));
    await output("create", "-a", list, at("oci-arm"));
    expect(await platforms(list)).toMatchObject([{ architecture: "amd64" }, { architecture: "arm", variant: "v6" }]);
    const copy = (from: string) =>
      succeed([
        "skopeo",
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${at(from)}`,
        `docker://${at("moving")}`,
      ]);
    await copy("oci-amd64");
    await output("create", at("followed"), at("moving"));
    await copy("oci-arm");
    await output("create", "--amend", at("followed"), at("moving"));
    expect(await platforms(at("followed"))).toEqual([{ architecture: "arm", os: "linux", variant: "v7" }]);
  });

  test("of an image that is only here; it runs, and is pushed with its layers", async () => {
    await using fresh = await kitchen({ images: [await busyboxImage()] });
    await fresh.output(["tag", "busybox", at("bakery:local")]);
    await fresh.output(["rmi", "busybox"]);
    await fresh.output(["manifest", "create", at("bakery:list"), at("bakery:local"), at("oci-arm")]);
    // The list keeps what it is made of.
    await fresh.output(["rmi", at("bakery:local")]);
    expect(await fresh.output(["run", "--rm", "--pull", "never", at("bakery:list"), "echo", "baked"])).toBe("baked");
    await fresh.output(["manifest", "push", at("bakery:list")]);
    await using other = await kitchen();
    expect(await other.output(["run", "--rm", "--quiet", at("bakery:list"), "echo", "served"])).toBe("served");
  });

  test.each([
    ["an image that is nowhere", () => [at("half"), at("oci-arm"), at("oci-none")], "no such manifest"],
    ["a list in a list", () => [at("half"), at("lists")], "is a manifest list"],
    ["a digest for a name", () => [`${at("half")}@${sha256("")}`, at("oci-arm")], "has a digest"],
    ["no image", () => [at("half")], "requires at least 2 arguments"],
  ])("%s: nothing is made", async (_, names, message) => {
    await output("create", "--amend", at("lists"), at("oci-arm"));
    await output("push", "--purge", at("lists"));
    const before = await here().traces();
    expect(await ramekin("create", ...names())).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(await here().traces()).toEqual(before);
  });

  test("the name of an image is not taken from it", async () => {
    await here().output(["pull", "--quiet", at("busybox")]);
    expect(await ramekin("create", "--amend", at("busybox"), at("oci-arm"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is an image, not a manifest list"),
    });
  });
});

describe("manifest annotate", () => {
  test("[manifest annotate --arch] [manifest annotate --os] [manifest annotate --variant] [manifest annotate --os-version] [manifest annotate --os-features]", async () => {
    const list = at("annotated");
    await output("create", list, at("oci-amd64"), at("oci-arm"));
    await output("annotate", "--os", "windows", "--arch", "arm64", "--variant", "v8", "--os-version", "10.0.1", list, at("oci-arm"));
    await output("annotate", "--os-features", "win32k,x", "--os-features", "x", list, at("oci-arm"));
    const digest = (await listed(list)).manifests[0]?.digest ?? "";
    await output("annotate", "--variant", "v3", list, digest);
    expect(await platforms(list)).toEqual([
      { architecture: "amd64", os: "linux", variant: "v3" },
      { architecture: "arm64", os: "windows", variant: "v8", "os.version": "10.0.1", "os.features": ["win32k", "x"] },
    ]);
  });

  test.each([
    ["no member", [], "oci-none", "does not exist in"],
    ["no architecture", ["--arch", "amd46"], "oci-arm", "unsupported os/arch combination: linux/amd46"],
    ["no system", ["--os", "linus"], "oci-arm", "unsupported os/arch combination: linus/arm"],
  ])("%s: an error with a hint, and the list as it was", async (_, flags, member, message) => {
    const list = at("unspoilt");
    await output("create", "--amend", list, at("oci-arm"));
    const before = await output("inspect", list);
    const { code, stderr } = await ramekin("annotate", ...flags, list, at(member));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(stderr).toContain("hint: ");
    expect(await output("inspect", list)).toBe(before);
  });

  test("no list", async () => {
    expect(await ramekin("annotate", at("nowhere"), at("oci-arm"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no such manifest"),
    });
  });
});

describe("manifest push", () => {
  const writes = ({ method, url }: SeenRequest) => method !== "GET" && method !== "HEAD" && url.startsWith("/v2/");

  test("[manifest push] [REG-5] members are mounted, the list has the digest that is printed, and stays here", async () => {
    await using proxy = await faultProxy(registry().host, () => undefined);
    const list = at("pushed:1", proxy.host);
    await output("create", list, at("oci-amd64", proxy.host), at("oci-arm", proxy.host));
    const printed = (await output("push", list)).split("\n");
    const document = await raw(at("pushed:1"));
    expect(printed.at(-1)).toBe(sha256(document));
    expect(printed.slice(0, -1)).toEqual(
      (JSON.parse(document) as Index).manifests.map(
        ({ digest }) => `Pushed ref ${at("pushed", proxy.host)}@${digest} with digest: ${digest}`,
      ),
    );
    // Two blobs of two images, each by one request; no byte of them travels.
    const sent = proxy.seen.filter(writes);
    expect(sent.filter(({ method }) => method === "PATCH")).toEqual([]);
    expect(sent.filter(({ method, url }) => method === "POST" && url.includes("from=oci-"))).toHaveLength(4);
    expect(sent.at(-1)).toMatchObject({ method: "PUT", url: "/v2/pushed/manifests/1" });
    await output("inspect", list);
    await succeed([
      "skopeo",
      "copy",
      "--quiet",
      "--all",
      "--src-tls-verify=false",
      `docker://${at("pushed:1")}`,
      `dir:${join(here().folder, "copied")}`,
    ]);
  });

  test("[manifest push --purge] the list goes from here", async () => {
    await output("create", at("purged"), at("oci-arm"));
    await output("push", "-p", at("purged"));
    expect(await here().output(["images", "--all", "--format", "{{.Repository}}"])).not.toContain(at("purged"));
    expect(await ramekin("push", at("purged"))).toMatchObject({ code: 1, stderr: expect.stringContaining("no such manifest") });
    expect(JSON.parse(await raw(at("purged"))).manifests).toHaveLength(1);
  });

  test("to another registry, which gets all blobs", async () => {
    await using other = await dockerRegistry();
    const list = at("travelled", other.host);
    await output("create", list, at("oci-amd64"), at("docker-arm"));
    await output("push", list);
    await succeed([
      "skopeo",
      "copy",
      "--quiet",
      "--all",
      "--src-tls-verify=false",
      `docker://${list}`,
      `dir:${join(here().folder, "travelled")}`,
    ]);
  });

  test("a push that fails half-way leaves no tag, and the list here", async () => {
    await using proxy = await faultProxy(registry().host, ({ method, url }) =>
      method === "PUT" && url.startsWith("/v2/broken/manifests/") ? { status: 403 } : undefined,
    );
    await output("create", at("broken:1", proxy.host), at("oci-arm", proxy.host));
    expect((await ramekin("push", "--purge", at("broken:1", proxy.host))).code).toBe(1);
    expect(await command(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${at("broken:1")}`])).not.toMatchObject({
      code: 0,
    });
    expect(await platforms(at("broken:1", proxy.host))).toHaveLength(1);
  });

  test("a member that the registry has lost", async () => {
    await using other = await dockerRegistry();
    await publishPlatforms(other);
    await output("create", at("lost", other.host), at("oci-arm", other.host));
    await succeed(["skopeo", "delete", "--tls-verify=false", `docker://${at("oci-arm", other.host)}`]);
    const { code, stderr } = await ramekin("push", at("lost", other.host));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`is no longer at ${at("oci-arm", other.host)}`) });
    expect(stderr).toContain("hint: ");
  });
});

test("[manifest rm] lists that were made here only, one after the other", async () => {
  await output("create", at("going:1"), at("oci-arm"));
  await output("create", at("going:2"), at("oci-arm"), at("oci-amd64"));
  await output("push", at("going:2"));
  await here().output(["tag", at("going:2"), at("going:3")]);
  await here().output(["rmi", at("going:2")]);
  await here().output(["pull", "--quiet", "--platform", "linux/amd64", at("oci-amd64")]);
  const { code, stdout, stderr } = await ramekin("rm", at("going:1"), at("going:0"), at("oci-amd64"), at("going:3"));
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.match(/no such manifest: \S+/g)).toEqual([`no such manifest: ${at("going:0")}`, `no such manifest: ${at("oci-amd64")}`]);
  const names = await here().output(["images", "--format", "{{.Repository}}"]);
  expect(names).toContain(at("oci-amd64"));
  expect(names).not.toContain(at("going"));
  // What was pushed is an image to whoever pulls it.
  await here().output(["pull", "--quiet", "--platform", "linux/amd64", at("going:2")]);
  expect(await ramekin("rm", at("going:2"))).toMatchObject({ code: 1, stderr: expect.stringContaining("ramekin rmi") });
  await here().output(["rmi", at("going:2")]);
});

test("[manifest inspect --insecure] [manifest create --insecure] [manifest push --insecure] plain HTTP to a registry that is not known to be on this machine", async () => {
  // 0.0.0.0 leads to this machine, but does not say so.
  const host = registry().host.replace("127.0.0.1", "0.0.0.0");
  const [list, image] = [at("plain", host), at("oci-arm", host)];
  for (const [verb = "", ...names] of [
    ["inspect", image],
    ["create", list, image],
    ["push", list],
  ]) {
    expect((await ramekin(verb, ...names)).code).toBe(1);
    await output(verb, "--insecure", ...names);
  }
  expect(JSON.parse(await raw(at("plain"))).manifests).toHaveLength(1);
});

describe("with accounts", () => {
  needs(missing("htpasswd"));

  test("wrong credentials: said, with a hint, and nothing is made", async () => {
    const htpasswd = (await succeed(["htpasswd", "-Bbn", "cook", "secret"])).stdout;
    await using closed = await dockerRegistry({ htpasswd });
    const image = at("oci-arm", closed.host);
    const copy = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", "--dest-creds", "cook:secret"];
    await succeed([...copy, `docker://${at("oci-arm")}`, `docker://${image}`]);
    const before = await here().traces();
    for (const args of [
      ["inspect", image],
      ["create", at("closed", closed.host), image],
    ]) {
      const { code, stderr } = await ramekin(...args);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/hint: .*login/) });
    }
    expect(await here().traces()).toEqual(before);
    await here().output(["login", "--username", "cook", "--password-stdin", closed.host], { input: "secret" });
    await output("create", at("closed", closed.host), image);
    await output("push", at("closed", closed.host));
  });
});
