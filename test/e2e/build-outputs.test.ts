import { mkdir, mkdtemp, readdir, readFile, readlink, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, command, succeed, useKitchen, useRegistry } from "../support/index.ts";

const images = async () => [await busyboxImage()];
const here = useKitchen(async () => ({ images: await images() }));
const registry = useRegistry(images);
const ramekin = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => here().ramekin([...args], { env });
const output = (...args: string[]) => here().output(args);
const inside = (name: string) => join(here().folder, name);
const json = async (...args: string[]) => JSON.parse((await succeed(args)).stdout);
const lines = (...all: string[]) => `${all.join("\n")}\n`;

async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = inside(name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

const dish = lines(
  "FROM busybox",
  "COPY --chown=12:34 grain /meal/grain",
  "RUN cd /meal && chmod 600 grain && ln -s grain link && ln grain twin",
  'CMD ["cat", "/meal/grain"]',
);

test("[BLD-11] [build --output] [build --load] [build --push] [build --annotation] one build goes to the store, archives, a layout, a directory, a tar and a registry; skopeo, umoci and podman read them", async () => {
  const folder = await context("dish", { Dockerfile: dish, grain: "wheat\n" });
  const name = `${registry().host}/dish:1`;
  const all = await ramekin([
    ...["build", "-t", name, "--metadata-file", inside("metadata"), "--annotation", "org.example.chef=cook"],
    ...["-o", `type=oci,dest=${inside("dish.oci.tar")}`, "-o", `type=oci,tar=false,dest=${inside("layout")},name=dish:flat`],
    ...["-o", `type=docker,dest=${inside("dish.docker.tar")},annotation.org.example.course=main`, "-o", inside("files")],
    ...["-o", `type=tar,dest=${inside("files.tar")}`, "-o", `type=oci,compression=zstd,compression-level=19,dest=${inside("zstd.tar")}`],
    ...["-o", `type=oci,compression=uncompressed,force-compression=true,oci-mediatypes=false,dest=${inside("plain.tar")}`],
    ...["--push", "--load", folder],
  ]);
  expect([all.code, all.stdout], all.stderr).toEqual([0, ""]);
  expect(all.stderr).toMatch(/exporting to oci image format/);

  const pushed = await json("skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`);
  expect(pushed.annotations).toEqual({ "org.example.chef": "cook" });
  expect(await output("run", "--rm", name)).toBe("wheat");
  const said = JSON.parse(await readFile(inside("metadata"), "utf8"));
  const { Digest: digest } = await json("skopeo", "inspect", "--tls-verify=false", `docker://${name}`);
  expect(said).toMatchObject({
    "containerimage.digest": digest,
    "containerimage.descriptor": { digest, mediaType: "application/vnd.oci.image.manifest.v1+json" },
    "containerimage.config.digest": pushed.config.digest,
    "image.name": name,
  });

  expect((await json("skopeo", "inspect", `oci-archive:${inside("dish.oci.tar")}`)).Digest).toBe(digest);
  expect((await succeed(["umoci", "ls", "--layout", inside("layout")])).stdout.trim()).toBe("docker.io/library/dish:flat");
  await succeed(["umoci", "unpack", "--image", `${inside("layout")}:docker.io/library/dish:flat`, inside("bundle")]);
  const layersOf = async (file: string) => (await json("skopeo", "inspect", "--raw", `oci-archive:${inside(file)}`)).layers;
  expect((await layersOf("zstd.tar")).map(({ mediaType }: { mediaType: string }) => mediaType.split(".").at(-1))).toEqual([
    "tar+gzip", // the base's
    "tar+zstd",
    "tar+zstd",
  ]);
  expect(new Set((await layersOf("plain.tar")).map(({ mediaType }: { mediaType: string }) => mediaType))).toEqual(
    new Set(["application/vnd.docker.image.rootfs.diff.tar"]),
  );
  // podman loads what is for docker, and runs what it loads as we do.
  const pantry = await mkdtemp("/tmp/podman-"); // its run root may have 50 characters
  const store = ["--root", join(pantry, "root"), "--runroot", join(pantry, "run"), "--storage-driver", "vfs"];
  const podman = (...args: string[]) =>
    succeed(["unshare", "--mount", "--propagation", "private", "podman", ...store, ...args], { timeout: 120_000 });
  await podman("load", "--quiet", "--input", inside("dish.docker.tar"));
  expect(JSON.parse((await podman("image", "inspect", name)).stdout)[0].Config.Cmd).toEqual(["cat", "/meal/grain"]);
  await command(["unshare", "--mount", "--propagation", "private", "rm", "-rf", pantry]);

  // Files: in a tar as the image has them, in a directory as the caller's own.
  const listed = (await succeed(["tar", "--numeric-owner", "-tvf", inside("files.tar")])).stdout;
  expect(listed).toMatch(/^-rw------- 12\/34 +6 .* meal\/grain$/m);
  expect(await readFile(inside("files/meal/twin"), "utf8")).toBe("wheat\n");
  expect(await readlink(inside("files/meal/link"))).toBe("grain");
  const { uid, mode } = await stat(inside("files/meal/grain"));
  expect([uid, (mode & 0o777).toString(8)]).toEqual([process.getuid?.(), "600"]);
  const shell = `"${here().command.join('" "')}" build -q -o - "${folder}" | tar -xO meal/grain`;
  expect((await succeed(["sh", "-c", shell], { env: here().env })).stdout).toBe("wheat\n");
});

test("[build --output] what an output does not know is refused by name", async () => {
  const folder = await context("refused", { Dockerfile: "FROM busybox\n" });
  for (const [flags, said] of [
    [["-o", "type=oci,compression=estargz,dest=x"], "estargz"],
    [["-o", "type=image,shape=round"], "unexpected key 'shape'"],
    [["-o", "dest=x"], "type is required"],
    [["-o", "type=local"], "dest is required"],
    [["-o", "type=image,push-by-digest=true"], "push-by-digest"],
    [["-o", "type=tar", "-o", "-"], "only one output can be written to stdout"],
    [["--annotation", "index:a=b"], "index annotations not supported for single platform export"],
  ] as const) {
    expect(await ramekin(["build", ...flags, folder])).toMatchObject({ code: 1, stderr: expect.stringContaining(said) });
  }
});

test("[build --provenance] [build --sbom] [build --attest] no attestations are what there is; others are refused", async () => {
  const folder = await context("attested", { Dockerfile: "FROM busybox\n" });
  const none = await ramekin(["build", "-q", "--provenance=false", "--sbom=false", "--attest", "type=sbom,disabled=true", folder]);
  expect(none.code, none.stderr).toBe(0);
  for (const flag of ["--provenance=mode=max", "--sbom=true", "--attest=type=provenance"]) {
    const refused = await ramekin(["build", flag, folder]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("without attestations") });
  }
});

test("[build --platform] several platforms are one index, each with its own arguments; RUN for one that does not run here is refused", async () => {
  const folder = await context("platforms", {
    Dockerfile: lines(
      "FROM --platform=$BUILDPLATFORM busybox AS mill",
      "ARG TARGETPLATFORM TARGETARCH BUILDARCH",
      "RUN echo $TARGETPLATFORM $TARGETARCH $BUILDARCH > /flour",
      "FROM scratch",
      "COPY --from=mill /flour /flour",
    ),
    "Dockerfile.run": "FROM scratch\nCOPY Dockerfile /\nRUN true\n",
  });
  const both = ["build", "--platform", "linux/amd64,linux/s390x"];
  const annotations = ["--annotation", "index:who=all", "--annotation", "manifest-descriptor[linux/s390x]:who=big"];
  const archive = ["-o", `type=oci,dest=${inside("both.tar")}`, "-o", `type=local,dest=${inside("both")}`];
  await output(...both, "-t", "both", ...annotations, ...archive, "-o", "type=image", folder);
  const index = await json("skopeo", "inspect", "--raw", `oci-archive:${inside("both.tar")}`);
  expect(index).toMatchObject({
    mediaType: "application/vnd.oci.image.index.v1+json",
    annotations: { who: "all" },
    manifests: [
      { platform: { os: "linux", architecture: "amd64" } },
      { platform: { os: "linux", architecture: "s390x" }, annotations: { who: "big" } },
    ],
  });
  expect(index.manifests[0].annotations).toBeUndefined();
  expect(await readFile(inside("both/linux_amd64/flour"), "utf8")).toBe("linux/amd64 amd64 amd64\n");
  expect(await readFile(inside("both/linux_s390x/flour"), "utf8")).toBe("linux/s390x s390x amd64\n");
  const config = await json("skopeo", "inspect", "--config", "--override-arch", "s390x", `oci-archive:${inside("both.tar")}`);
  expect(config.architecture).toBe("s390x");
  expect(await ramekin([...both, "-o", `type=docker,dest=${inside("no.tar")}`, folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("manifest lists"),
  });
  // As a base, from a registry, both at once: each platform has its own.
  const base = `${registry().host}/both:1`;
  await succeed(["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", `oci-archive:${inside("both.tar")}`, `docker://${base}`]);
  await writeFile(join(folder, "Dockerfile.base"), `FROM ${base}\nARG TARGETARCH\nCOPY Dockerfile /from-$TARGETARCH\n`);
  await output(...both, "-f", join(folder, "Dockerfile.base"), "-o", inside("based"), folder);
  for (const platform of ["amd64", "s390x"]) {
    expect(await readFile(inside(`based/linux_${platform}/flour`), "utf8")).toContain(`linux/${platform} `);
    expect((await stat(inside(`based/linux_${platform}/from-${platform}`))).isFile()).toBe(true);
  }
  // What is not of the image goes with mode=delete, and only below the directory.
  await writeFile(inside("based/stale"), "");
  await output("build", "-o", `type=local,dest=${inside("based")},mode=delete`, folder);
  expect(await readdir(inside("based"))).toEqual(["flour"]);
  const clear = ["build", "-o", `type=local,dest=${here().folder},mode=delete`, "-"];
  const precious = await here().ramekin(clear, { input: "FROM busybox\n" });
  expect(precious).toMatchObject({ code: 1, stderr: expect.stringContaining(`mode=delete would remove ${here().folder}/`) });
  const own = await ramekin(["build", "-o", `type=local,dest=${folder},mode=delete`, folder]);
  expect(own).toMatchObject({ code: 1, stderr: expect.stringContaining(`mode=delete would remove the build context ${folder}`) });
  expect((await stat(join(folder, "Dockerfile"))).isFile()).toBe(true);

  const refused = await ramekin(["build", "--platform", "linux/s390x", "-f", join(folder, "Dockerfile.run"), folder]);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("RUN for linux/s390x: this machine does not run its programs"),
  });
  expect(refused.stderr).toContain("hint: install qemu-user-static");
});

test("[BLD-13] [build --source-date-epoch] [build --rewrite-timestamp] [build --timestamp] the same date makes the same image, later and with another storage driver and codec; base layers stay", async () => {
  const folder = await context("dated", { Dockerfile: dish, grain: "wheat\n" });
  const build = async (flags: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await ramekin(["build", "--quiet", "--no-cache", ...flags, folder], env);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const epoch = { SOURCE_DATE_EPOCH: "1600000000" };
  const first = await build(["-t", "dated"], epoch);
  const later = new Date(Date.now() + 5000);
  await utimes(join(folder, "grain"), later, later);
  expect(await build([], epoch)).toBe(first);
  expect(await build(["--source-date-epoch", "1600000000"])).toBe(first);
  expect(await build(["--build-arg", "SOURCE_DATE_EPOCH=1600000000"], { SOURCE_DATE_EPOCH: "5" })).toBe(first);
  expect(await build([], { ...epoch, RAMEKIN_CODEC: "wasm-gzip" })).toBe(first);
  for (const driver of ["vfs", "overlayfs"]) {
    await here().output(["load", "--quiet", "--input", (await busyboxImage()).folder], { env: { RAMEKIN_ROOT: inside(driver) } });
    expect(await build([], { ...epoch, RAMEKIN_STORAGE: driver, RAMEKIN_ROOT: inside(driver) })).toBe(first);
  }

  const [image] = JSON.parse(await output("image", "inspect", "dated"));
  const [base] = JSON.parse(await output("image", "inspect", "busybox"));
  expect(image.Created).toBe("2020-09-13T12:26:40.000Z");
  expect(image.RootFS.Layers[0]).toBe(base.RootFS.Layers[0]);
  expect(image.RootFS.Layers.length).toBe(3);
  const times = async (name: string) => (await output("run", "--rm", name, "stat", "-c", "%Y", "/meal", "/meal/grain")).split("\n");
  expect(await times("dated")).toEqual(["1600000000", "1600000000"]);

  // Without the files: the image's own date alone.
  const kept = await build(["--rewrite-timestamp=false", "-t", "kept"], epoch);
  expect(kept).not.toBe(first);
  expect(Number((await times("kept"))[1])).toBeGreaterThan(1_600_000_000);
  expect(JSON.parse(await output("image", "inspect", "kept"))[0].Created).toBe("2020-09-13T12:26:40.000Z");
  await build(["--timestamp", "7", "-t", "seven"]);
  expect(await times("seven")).toEqual(["7", "7"]);
  for (const flags of [["--rewrite-timestamp"], ["-o", "type=image,rewrite-timestamp=true"]]) {
    expect(await ramekin(["build", ...flags, folder])).toMatchObject({ code: 1, stderr: expect.stringContaining("no date to clamp") });
  }
  expect(await ramekin(["build", "--timestamp", "noon", folder])).toMatchObject({ code: 1 });
  expect(await ramekin(["build", folder], { SOURCE_DATE_EPOCH: "noon" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("invalid SOURCE_DATE_EPOCH: noon"),
  });
});
