import type { LayerDiffer } from "@ramekin/core";
import { expect, test } from "vitest";
import type { ContainerConfig, Engine } from "../src/api.ts";
import { containerRun, merged } from "../src/commit.ts";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const image = { Entrypoint: ["/entry"], Cmd: ["serve"], Env: ["A=1", "B=2"], Labels: { a: "1" }, OnBuild: ["RUN x"], User: "cook" };
const config = (options: Partial<ContainerConfig["options"]>) =>
  ({ options: { image: "app", ...options }, stopSignal: "SIGINT" }) as ContainerConfig;

test("what a container was told goes into the image's configuration, and nothing else does", () => {
  const { OnBuild: _, ...rest } = image;
  expect(containerRun(image, config({}))).toEqual(rest);
  expect(
    containerRun(image, config({ command: ["other"], env: { B: "3", C: "4" }, workdir: "/w", user: "0", stopSignal: "SIGINT" })),
  ).toEqual({
    ...rest,
    Cmd: ["other"],
    Env: ["B=3", "C=4", "A=1"],
    User: "0",
    WorkingDir: "/w",
    StopSignal: "SIGINT",
  });
});

test("a volume without a name is one that the image declares, one with a name is not", () => {
  const mounts = [
    { type: "volume", target: "/new" },
    { type: "volume", source: "named", target: "/named" },
  ] as const;
  expect(containerRun({ Volumes: { "/old": {} } }, config({ mounts })).Volumes).toEqual({ "/old": {}, "/new": {} });
});

test("an entry point of one's own goes without the other's command", () => {
  expect(containerRun(image, config({ entrypoint: ["/own"] }))).toMatchObject({ Entrypoint: ["/own"] });
  expect(containerRun(image, config({ entrypoint: ["/own"] }))).not.toHaveProperty("Cmd");
  expect(containerRun(image, config({ entrypoint: [""], command: ["sh"] }))).not.toHaveProperty("Entrypoint");
  expect(merged({ Entrypoint: ["/changed"] }, image)).not.toHaveProperty("Cmd");
  expect(merged({ Cmd: ["changed"] }, image)).toMatchObject({ Entrypoint: ["/entry"], Cmd: ["changed"] });
});

test("variables, labels, ports and volumes are merged by name", () => {
  const ran = { ...image, ExposedPorts: { "80/tcp": {} } };
  expect(merged({ Env: ["B=x=y"], Labels: { b: "2" }, ExposedPorts: { "81/tcp": {} }, Volumes: { "/v": {} } }, ran)).toMatchObject({
    Env: ["A=1", "B=x=y"],
    Labels: { a: "1", b: "2" },
    ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
    Volumes: { "/v": {} },
  });
});

/** An engine whose differ says what the container is doing while its files are read, and gives an empty layer. */
async function watched(during: (engine: Engine) => Promise<unknown>) {
  let engine: Engine | undefined;
  const seen: unknown[] = [];
  const differ: LayerDiffer = {
    async *diff() {
      seen.push(await during(engine as Engine));
      yield new Uint8Array(1024);
    },
  };
  const local = { app: makeImage({ config: { Cmd: ["sleep"], Env: ["A=1"] }, layers: ["base"] }) };
  const t = await bed({ local, plugins: [{ name: "watching", provides: { differ: { watching: { create: () => differ } } } }] });
  engine = t.engine;
  return { ...t, seen };
}

test("a running container is paused while its files are read, unless told otherwise, and runs on after a failure", async () => {
  let fails = false;
  await using t = await watched(async (engine) => {
    if (fails) throw new Error("the disk is gone");
    return (await engine.containers())[0]?.status;
  });
  const container = await t.engine.run({ image: "app" });
  const status = async () => (await container.inspect()).status;
  await container.commit();
  await container.commit({ pause: false });
  expect(t.seen).toEqual(["paused", "running"]);
  fails = true;
  await expect(container.commit()).rejects.toThrow("the disk is gone");
  expect(await status()).toBe("running");
  fails = false;
  await container.pause();
  await container.commit();
  expect(await status()).toBe("paused");
  await container.remove({ force: true });
});

test("a collection in the middle takes nothing away; without a change there is a step and no layer", async () => {
  await using t = await watched((engine) => engine.prune());
  const container = await t.engine.create({ image: "app", env: { B: "2" } });
  const { id, name } = await container.commit({ name: "made", author: "me", message: "why" });
  expect(name).toBe("docker.io/library/made:latest");
  await t.engine.prune();
  const image = await t.engine.image("made");
  expect(image).toMatchObject({ id, config: { author: "me", config: { Env: ["B=2", "A=1"] } } });
  expect(image.manifest.layers).toHaveLength(1);
  expect((await t.engine.history("made"))[0]).toMatchObject({ createdBy: "sleep", comment: "why", size: 0 });
  await expectError(container.commit({ name: `made@${id}` }), "INVALID_ARGUMENT", "cannot commit as");
  await container.remove();
});
