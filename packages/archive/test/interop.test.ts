import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageSource, ImageTarget } from "@ramekin/core";
import { imageFrom, validateImage } from "@ramekin/oci";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { archiveFiles, dockerSource, dockerTarget, folderFiles, layoutArchiveTarget, layoutSource, layoutTarget } from "../src/index.ts";
import { codec, digester } from "./parts.ts";

const missing = ["skopeo", "umoci"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);

/** Other people's tools read what we write, and we read what they write. */
describe.skipIf(missing.length > 0)(missing.length > 0 ? `interop: no ${missing.join(", ")} here` : "interop", () => {
  let root: string;
  const at = (name: string) => join(root, name);
  const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { cwd: root, stdio: "pipe" }).toString();
  const skopeo = (...args: readonly string[]) => run("skopeo", "--policy", at("policy.json"), ...args);
  const inspect = (image: string): { Digest: string; Layers: string[] } => JSON.parse(skopeo("inspect", image));
  const options = () => ({ digester, codec, directory: at("spool") });

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "ramekin-interop-"));
    await writeFile(at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    run("umoci", "init", "--layout", "made");
    run("umoci", "new", "--image", "made:base");
    await writeFile(at("hello"), "hello from outside\n");
    run("umoci", "insert", "--rootless", "--image", "made:base", at("hello"), "/hello");
    run("umoci", "insert", "--rootless", "--image", "made:base", at("policy.json"), "/etc/policy.json");
    run("umoci", "config", "--image", "made:base", "--config.cmd", "/hello", "--config.env", "A=1");
    skopeo("copy", "-q", "oci:made:base", "oci-archive:theirs.tar:base");
    skopeo("copy", "-q", "oci:made:base", "docker-archive:theirs-docker.tar:registry.example/team/app:1");
  }, 60_000);
  afterAll(() => rm(root, { recursive: true, force: true }));

  async function copy(from: Promise<ImageSource>, to: Promise<ImageTarget>): Promise<void> {
    await using source = await from;
    await using target = await to;
    const [descriptor] = await source.roots();
    if (!descriptor) throw new Error("no image");
    const image = imageFrom(source, descriptor, { digester, codec });
    await validateImage(image, { digester });
    const { layers, config } = await image.manifest();
    for (const blob of [...layers, config, descriptor]) await target.blob(blob, source.blob(blob));
    await target.root(descriptor);
    await target.commit();
  }
  const theirs = {
    folder: async () => layoutSource(await folderFiles(at("made")), { name: "base" }),
    archive: async () => layoutSource(await archiveFiles(at("theirs.tar"), options())),
    docker: async () => dockerSource(await archiveFiles(at("theirs-docker.tar"), options()), { digester }),
  };

  test("a layout by umoci becomes an archive that skopeo reads, with the same digest", async () => {
    await copy(theirs.folder(), layoutArchiveTarget(at("ours.tar"), { digester }));
    expect(inspect("oci-archive:ours.tar").Digest).toBe(inspect("oci:made:base").Digest);
    skopeo("copy", "-q", "oci-archive:ours.tar:base", "oci:read:base");
  });

  test("an archive by skopeo becomes a layout that umoci unpacks", async () => {
    await copy(theirs.archive(), layoutTarget(at("ours"), { digester }));
    run("umoci", "unpack", "--rootless", "--image", "ours:base", "bundle");
    expect(run("cat", "bundle/rootfs/hello")).toBe("hello from outside\n");
  });

  test("a docker archive by skopeo becomes one of ours, and skopeo finds the same layers in it", async () => {
    await copy(theirs.docker(), dockerTarget(at("ours-docker.tar"), options()));
    expect(inspect("docker-archive:ours-docker.tar").Layers).toEqual(inspect("docker-archive:theirs-docker.tar").Layers);
    skopeo("copy", "-q", "docker-archive:ours-docker.tar:registry.example/team/app:1", "oci:from-docker:x");
  });

  test("a layout becomes a docker archive with the config byte for byte", async () => {
    await copy(theirs.folder(), dockerTarget(at("converted.tar"), options()));
    const config = (image: string) => skopeo("inspect", "--config", "--raw", image);
    expect(config("docker-archive:converted.tar")).toBe(config("oci:made:base"));
  });

  test("our layout keeps the entries of others", async () => {
    skopeo("copy", "-q", "oci:made:base", "oci:shared:theirs");
    await copy(theirs.docker(), layoutTarget(at("shared"), { digester }));
    expect(run("umoci", "ls", "--layout", "shared").trim().split("\n")).toContain("theirs");
    expect(inspect("oci:shared:theirs").Digest).toBe(inspect("oci:made:base").Digest);
  });
});
