import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, command, eventually, layeredImage, missing, needs, succeed, useKitchen, useRegistry } from "../support/index.ts";

// What leaves us is read by others with the same digests, and what they write comes in with the same.
const registry = useRegistry(async () => []);
const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(40)] }));
const output = (...args: string[]) => here().output(args);
const at = (name: string) => join(here().folder, name);
const digestOf = async (name: string) => JSON.parse(await output("image", "inspect", name))[0].Id as string;
const configOf = async (name: string) => JSON.parse(await output("image", "inspect", name))[0].Manifest.config.digest as string;
const inspect = async (image: string) =>
  JSON.parse((await succeed(["skopeo", "inspect", image])).stdout) as { Digest: string; Layers: string[] };

describe("skopeo and umoci", () => {
  test("[IMG-3] [IMG-5] read what save writes", async () => {
    const digest = await digestOf("layers-40");
    await output("save", "-o", at("dual.tar"), "layers-40");
    expect((await inspect(`oci-archive:${at("dual.tar")}:latest`)).Digest).toBe(digest);
    // As a docker archive it has other manifests, over the same config.
    await succeed([
      "skopeo",
      "copy",
      "--quiet",
      `docker-archive:${at("dual.tar")}:docker.io/library/layers-40:latest`,
      `dir:${at("from-dual")}`,
    ]);
    expect(JSON.parse(await readFile(at("from-dual/manifest.json"), "utf8")).config.digest).toBe(await configOf("layers-40"));
    await output("save", "--format", "docker-archive", "-o", at("docker.tar"), "layers-40");
    await succeed(["skopeo", "copy", "--quiet", `docker-archive:${at("docker.tar")}`, `dir:${at("from-docker")}`]);
    expect(JSON.parse(await readFile(at("from-docker/manifest.json"), "utf8")).config.digest).toBe(await configOf("layers-40"));
    await output("save", "--format", "oci-archive", "-o", at("oci.tar"), "layers-40");
    expect((await inspect(`oci-archive:${at("oci.tar")}`)).Digest).toBe(digest);
    await output("save", "--format", "docker-dir", "-o", at("dir"), "layers-40");
    expect((await inspect(`dir:${at("dir")}`)).Digest).toBe(digest);
    await output("save", "--format", "oci-dir", "-o", at("layout"), "layers-40");
    expect((await inspect(`oci:${at("layout")}`)).Digest).toBe(digest);
    await succeed(["umoci", "unpack", "--image", `${at("layout")}:docker.io/library/layers-40:latest`, at("bundle")]);
    expect(await readFile(at("bundle/rootfs/layers/top"), "utf8")).toBe("39\n");
  });

  test("[REG-1] [IMG-5] pull what push sends, as it is and recompressed", async () => {
    const name = `${registry().host}/app:1`;
    await output("tag", "layers-40", name);
    await output("push", "-q", name);
    const pulled = async (to: string) => {
      await succeed(["skopeo", "copy", "--quiet", "--src-tls-verify=false", `docker://${name}`, `oci:${at(to)}:x`]);
      await succeed(["umoci", "unpack", "--image", `${at(to)}:x`, at(`${to}-bundle`)]);
      expect(await readFile(at(`${to}-bundle/rootfs/layers/top`), "utf8")).toBe("39\n");
      return (await inspect(`oci:${at(to)}:x`)).Digest;
    };
    expect(await pulled("pulled")).toBe(await digestOf("layers-40"));
    await output("push", "-q", "--compression", "gzip:9", name);
    expect(await pulled("gzip")).toBe(await digestOf("layers-40")); // gzip already
  });

  test("[IMG-2] Docker's schema 2, from a registry and back, keeps its digest", async () => {
    const from = `${registry().host}/schema2:theirs`;
    const source = `oci:${(await busyboxImage()).folder}:docker.io/library/busybox:latest`;
    await succeed(["skopeo", "copy", "--quiet", "--format", "v2s2", "--dest-tls-verify=false", source, `docker://${from}`]);
    await output("pull", "-q", from);
    await output("tag", from, `${registry().host}/other:ours`);
    await output("push", "-q", `${registry().host}/other:ours`);
    const raw = async (name: string) => (await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`])).stdout;
    expect(await raw(`${registry().host}/other:ours`)).toBe(await raw(from));
    expect(JSON.parse(await raw(from)).mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
    await output("save", "-o", at("schema2.tar"), from);
    // skopeo 1.9 finds nothing but OCI manifests in a layout: the index itself tells.
    const { manifests } = JSON.parse((await succeed(["tar", "-xOf", at("schema2.tar"), "index.json"])).stdout);
    expect(manifests[0].digest).toBe(await digestOf(from));
    await succeed(["skopeo", "inspect", `docker-archive:${at("schema2.tar")}`]);
    await output("push", "-q", "--compression", "zstd", `${registry().host}/other:ours`);
    expect(JSON.parse(await raw(`${registry().host}/other:ours`)).mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
  });

  test("[API-5] an artifact with a subject, an empty config and annotations goes through unchanged", async () => {
    const work = at("artifact");
    await mkdir(work);
    const subject = `${registry().host}/artifact:subject`;
    await output("tag", "busybox", subject);
    await output("push", "-q", subject);
    const { folder, digest } = await artifact(work, await digestOf("busybox"));
    await output("load", "-i", folder);
    const name = `${registry().host}/artifact:note`;
    await output("tag", digest, name);
    await output("push", "-q", name);
    const { stdout } = await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
    expect(stdout).toBe(await readFile(join(folder, "blobs", digest.replace(":", "/")), "utf8"));
    await output("save", "--format", "oci-dir", "-o", at("artifact-saved"), name);
    expect(await readFile(join(at("artifact-saved"), "blobs", digest.replace(":", "/")), "utf8")).toBe(stdout);
  });
});

/** Of no image's kind, as oras or cosign write them. */
async function artifact(work: string, subject: string): Promise<{ readonly folder: string; readonly digest: string }> {
  const { layout, types } = await import("../support/index.ts");
  const made = await layout(join(work, "layout"));
  const empty = { ...(await made.blob("application/vnd.oci.empty.v1+json", "{}")), data: "e30=" };
  const manifest = await made.json(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    artifactType: "application/vnd.example.note",
    config: empty,
    layers: [await made.blob("text/plain", "a note\n")],
    subject: { mediaType: types.manifest, digest: subject, size: 349 },
    annotations: { "org.example.note": "kept" },
  });
  await made.index([manifest]);
  return { folder: made.folder, digest: manifest.digest };
}

describe("podman", () => {
  needs(missing("podman"));
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp("/tmp/ramekin-"); // it takes no longer run root than 50 characters
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const podman = (...[first, ...rest]: [{ readonly input: Uint8Array } | string, ...string[]]) => {
    const own = ["--root", `${folder}/root`, "--runroot", `${folder}/run`, "--storage-driver", "vfs"];
    const [more, args] = typeof first === "string" ? [{}, [first, ...rest]] : [first, rest];
    const argv = ["unshare", "--mount", "--propagation", "private", "podman", ...own, ...args];
    return succeed(argv, { env: here().env, timeout: 120_000, ...more });
  };

  test("[IMG-3] loads what save writes, and we load what it saves", async () => {
    await output("save", "-o", at("for-podman.tar"), "busybox");
    expect((await podman("load", "-i", at("for-podman.tar"))).stdout).toContain("busybox:latest");
    const id = `sha256:${(await podman("image", "inspect", "--format", "{{.Id}}", "docker.io/library/busybox:latest")).stdout.trim()}`;
    expect(id).toBe(await configOf("busybox"));
    await output("rmi", "busybox");
    for (const format of ["docker-archive", "oci-archive", "oci-dir", "docker-dir"]) {
      const path = at(`podman-${format}`);
      await podman("save", "--quiet", "--format", format, "-o", path, "docker.io/library/busybox:latest");
      const [, loaded = ""] = /^Loaded image(?: ID)?: (\S+)$/m.exec(await output("load", "-i", path)) ?? [];
      expect(await output("run", "--rm", loaded, "echo", format)).toBe(format);
      await output("rmi", loaded);
    }
    await output("load", "-q", "-i", (await busyboxImage()).folder);
  });

  test("[IMG-3] loads each format that save has, and what it is piped", async () => {
    for (const format of ["docker-archive", "oci-archive", "oci-dir", "docker-dir"]) {
      const path = at(`for-podman-${format}`);
      await output("save", "--format", format, "-o", path, "busybox");
      const loaded = (await podman("load", "--quiet", "-i", path)).stdout.trim().replace(/^Loaded image: */, "");
      const id = (await podman("image", "inspect", "--format", "{{.Id}}", loaded)).stdout.trim();
      expect(`sha256:${id}`, format).toBe(await configOf("busybox"));
      await podman("rmi", "--force", id);
    }
    const piped = (await here().ramekin(["save", "--compress", "gzip", "busybox"])).bytes;
    expect((await podman({ input: piped }, "load", "--quiet")).stdout).toContain("busybox:latest");
    await podman("rmi", "--all", "--force");
  });

  test("[REG-1] pulls what push sends, and we pull what it pushes", async () => {
    const name = `${registry().host}/for-podman`;
    for (const [tag, ...flags] of [["zstd", "--compression", "zstd"], ["gzip"]] as [string, ...string[]][]) {
      await output("tag", "busybox", `${name}:${tag}`);
      await output("push", "-q", ...flags, `${name}:${tag}`);
      const id = (await podman("pull", "--quiet", "--tls-verify=false", `${name}:${tag}`)).stdout.trim();
      expect(`sha256:${id}`, tag).toBe(await configOf("busybox"));
      if (tag === "zstd") await podman("rmi", "--all", "--force");
    }
    for (const format of ["oci", "v2s2"]) {
      const theirs = `${registry().host}/by-podman:${format}`;
      const digestFile = at(`podman-digest-${format}`);
      await podman("push", "--quiet", "--tls-verify=false", "--format", format, "--digestfile", digestFile, `${name}:gzip`, theirs);
      await output("pull", "-q", theirs);
      expect(await digestOf(theirs), format).toBe((await readFile(digestFile, "utf8")).trim());
      expect(await output("run", "--rm", theirs, "echo", format)).toBe(format);
    }
  });

  test("[IMG-4] imports what export-image writes, and we import what it exports", async () => {
    await writeFile(at("exported.tar"), (await here().ramekin(["export-image", "layers-40"])).bytes);
    const id = (await podman("import", "--quiet", at("exported.tar"))).stdout.trim();
    expect((await podman("image", "diff", id)).stdout).toContain("A /layers/39");
  });
});

describe("docker", () => {
  needs(missing("dockerd", "docker", "containerd"));
  let folder: string;
  let daemon: ReturnType<typeof spawn> | undefined;
  let said = "";
  const host = () => `unix://${folder}/docker.sock`;
  const docker = (args: readonly string[], input?: Uint8Array) =>
    command(["docker", "-H", host(), ...args], { timeout: 120_000, ...(input && { input }) });
  const docked = async (...args: string[]) => {
    const result = await docker(args);
    if (result.code !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}\n${said.slice(-1000)}`);
    return result.stdout.replace(/\n$/, "");
  };

  beforeAll(async () => {
    if (missing("dockerd", "docker", "containerd") !== undefined) return;
    folder = await mkdtemp("/var/tmp/ramekin-");
    const own = [
      "--data-root",
      `${folder}/data`,
      "--exec-root",
      `${folder}/exec`,
      "--pidfile",
      `${folder}/pid`,
      "--config-file",
      `${folder}/none.json`,
    ];
    await writeFile(`${folder}/none.json`, "{}");
    const network = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
    const args = ["--mount", "--propagation", "private", "dockerd", "-H", host(), ...own, ...network, "--storage-driver", "vfs"];
    daemon = spawn("unshare", args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [daemon.stdout, daemon.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk));
    await eventually(async () => {
      if (!existsSync(`${folder}/docker.sock`) || (await docker(["version"])).code !== 0)
        throw new Error(`dockerd does not answer:\n${said.slice(-2000)}`);
    }, 60);
  }, 90_000);
  afterAll(async () => {
    const ended = new Promise((resolve) => daemon?.once("exit", resolve));
    if (daemon?.kill("SIGTERM")) await ended;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test("[IMG-3] loads what save writes, from a file and a pipe, and we load what it saves", async () => {
    await output("save", "-o", at("for-docker.tar"), "busybox", "layers-40");
    expect((await docked("load", "-i", at("for-docker.tar"))).split("\n").sort()).toEqual([
      "Loaded image: busybox:latest",
      "Loaded image: layers-40:latest",
    ]);
    expect(await docked("image", "inspect", "--format", "{{.Id}}", "layers-40")).toBe(await configOf("layers-40"));
    await docked("rmi", "layers-40");
    const piped = await docker(["load"], (await here().ramekin(["save", "layers-40"])).bytes);
    expect(piped.stdout).toBe("Loaded image: layers-40:latest\n");
    await docked("save", "-o", at("by-docker.tar"), "layers-40:latest");
    const config = await configOf("layers-40");
    await output("rmi", "layers-40");
    expect(await output("load", "-i", at("by-docker.tar"))).toBe("Loaded image: layers-40:latest");
    expect(await configOf("layers-40")).toBe(config);
    await output("rmi", "layers-40");
    await output("load", "-q", "-i", (await layeredImage(40)).folder);
  });

  test("[IMG-4] imports what export-image writes, and we import what it exports", async () => {
    await docked("load", "-q", "-i", at("for-docker.tar"));
    await writeFile(at("root.tar"), (await here().ramekin(["export-image", "layers-40"])).bytes);
    await docked("import", at("root.tar"), "imported:1");
    const container = await docked("create", "imported:1", "/bin/true");
    await docked("export", "-o", at("back.tar"), container);
    await docked("rm", container);
    const files = async (path: string) =>
      (await succeed(["tar", "-tf", path])).stdout.split("\n").map((line) => line.replace(/^\.\/|\/$/g, ""));
    const back = await files(at("back.tar"));
    for (const path of await files(at("root.tar"))) expect(back).toContain(path);
    await output("import", at("back.tar"), "by-docker:1");
    expect(await output("run", "--rm", "by-docker:1", "cat", "/layers/top")).toBe("39");
    await output("rmi", "by-docker:1");
  });

  test("[REG-1] pulls what push sends, and we pull what it pushes", async () => {
    const name = `${registry().host}/for-docker:1`;
    await output("tag", "busybox", name);
    await output("push", "-q", name);
    expect(await docked("pull", name)).toContain(`Digest: ${await digestOf("busybox")}`);
    await docked("tag", name, `${registry().host}/by-docker:1`);
    const pushed = /digest: (\S+) size/.exec(await docked("push", `${registry().host}/by-docker:1`))?.[1];
    await output("pull", "-q", `${registry().host}/by-docker:1`);
    expect(await digestOf(`${registry().host}/by-docker:1`)).toBe(pushed);
    expect(await output("run", "--rm", `${registry().host}/by-docker:1`, "echo", "works")).toBe("works");
  });

  test("[IMG-1] says the same of the same image: history, and --format's functions", async () => {
    await docked("pull", "-q", `${registry().host}/for-docker:1`);
    const name = `${registry().host}/for-docker:1`;
    const format = ["--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}|{{.CreatedSince}}"];
    expect(await output("history", ...format, name)).toBe(await docked("history", ...format, name));
    const keys = (text: string) => Object.keys(JSON.parse(text.split("\n")[0] as string)).sort();
    expect(keys(await output("images", "--format", "json"))).toEqual(keys(await docked("images", "--format", "json")));
    expect(keys(await output("history", "--format", "json", name))).toEqual(keys(await docked("history", "--format", "json", name)));
    await docked("tag", name, "busybox:same");
    await output("tag", name, "busybox:same");
    for (const template of [
      "table {{.Repository}}\\t{{.Tag}}",
      "table {{upper .Repository}}\\t{{.Tag}}\\t{{.CreatedSince}}",
      "{{json .Tag}}",
    ]) {
      const shown = ["images", "--format", template, "busybox:same"];
      expect(await output(...shown), template).toBe(await docked(...shown));
    }
    const table = ["history", "--format", "table {{.CreatedBy}}\\t{{.Comment}}", name];
    expect(await output(...table)).toBe(await docked(...table));
    await output("rmi", "busybox:same");
    const dates = ["history", "--human=false", "--format", "{{.CreatedAt}}", name];
    expect(await output(...dates)).toBe(await docked(...dates));
    const templates = [
      "{{json .Config.Env}}",
      "{{.Os}}/{{.Architecture}}",
      '{{join .Config.Env ","}}',
      '{{upper .Os}} {{lower "ABC"}} {{title "some words"}}',
      '{{split .Os "n"}} {{index .Config.Env 0}} {{len .Config.Env}}',
      "{{range .Config.Env}}{{println .}}{{end}}",
      "{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}",
      '{{if eq .Os "linux"}}yes{{else}}no{{end}} {{if and .Os (not .Author)}}both{{end}} {{or .Author "nobody"}}',
      '{{if eq .Os "a" "b" "linux"}}one of{{end}} {{ne .Os "linux"}}',
      '{{pad .Os 2 3}}|{{truncate .Os 3}}|{{printf "%-8s|%5s|%q|%d|%v|%05d|%x" .Os "x" .Os 7 true 42 255}}',
      "{{with .Config}}{{.Cmd}}{{end}} {{with .Author}}{{.}}{{else}}none{{end}}",
      "{{range $k, $v := .Config.Labels}}{{$k}}{{else}}no label{{end}} {{if .Author}}a{{else if .Os}}b{{else}}c{{end}}",
      '{{title .Os}} {{pad "x" 0 4}}| {{truncate "long enough" 4}} {{split "a:b:c" ":"}} {{join (split "a:b" ":") "-"}}',
      '{{index (split "a:b:c" ":") 1}} {{json (split "a<b" "<")}} {{println "x" 1}}{{range split "p q" " "}}<{{.}}>{{end}}',
      "{{.Config.Labels}} {{json .Config.Labels}} {{len .Config.Volumes}} {{.Config.OnBuild}}|{{.Config.User}}",
      "{{slice .Os 1 3}} {{slice .Config.Cmd 0 1}}",
      "{{- .Os -}}  {{/* nothing */}} end",
      '{{$x := .Os}}{{$x}} {{html "<a>"}} {{urlquery "a b"}} {{js "it\'s"}}',
      '{{lt 1 2}} {{ge 2 2}} {{len "häh"}} {{print 1 2 "a" "b" 3}}',
    ];
    for (const template of templates) {
      expect(await output("image", "inspect", "--format", template, name), template).toBe(
        await docked("image", "inspect", "--format", template, name),
      );
    }
  });
});
