import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, test } from "vitest";
import { bed, expectError, textOf } from "./bed.ts";
import { makeImage, makeIndex } from "./doubles/image.ts";

const busybox = { busybox: makeImage({ config: { Cmd: ["true"], Env: ["A=1"] }, layers: ["one", "two"] }) };
const containersOf = async (directory: string) =>
  (await readdir(join(directory, "root", "containers"))).filter((entry) => entry.length === 64);

test("a run: created, started, waited for, removed; nothing is left", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", name: "one" });
  expect((await container.wait()).code).toBe(0);
  expect((await container.inspect()).status).toBe("exited");
  expect(t.isolation.calls).toEqual(["create", "attach", "start"]);
  await container.remove();
  expect(await containersOf(t.directory)).toEqual([]);
  expect(await readdir(join(t.directory, "root", "containers", "names"))).toEqual([]);
  expect(await t.storage.stat(container.id)).toBeUndefined();
  expect(t.warnings).toEqual([]);
});

test("a run that cannot start leaves nothing, as nobody has a handle; what was made and then not started stays", async () => {
  await using t = await bed({ local: busybox });
  await expectError(t.engine.run({ image: "busybox", command: ["missing"] }), "COMMAND_NOT_FOUND");
  expect(await containersOf(t.directory)).toEqual([]);
  const container = await t.engine.create({ image: "busybox", command: ["missing"] });
  await expectError(container.start(), "COMMAND_NOT_FOUND");
  expect(await containersOf(t.directory)).toEqual([container.id]);
  expect(t.warnings).toEqual([]);
});

test("an exit status is a value, and another process can ask for it too", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["exit", "7"] });
  expect(await container.wait()).toMatchObject({ code: 7 });
  await using later = await t.open();
  expect(await (await later.container(container.name)).wait()).toMatchObject({ code: 7 });
});

test("stdout is there though the program ended before anybody read", async () => {
  await using t = await bed({ local: busybox });
  await using container = await t.engine.run({ image: "busybox", command: ["echo", "hello"] });
  await container.wait();
  expect(await textOf(container.stdout)).toBe("hello\n");
  expect(await textOf(container.stderr)).toBe("");
});

test("with autoRemove the exit status still arrives, and everything goes without the engine", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", command: ["exit", "3"], autoRemove: true, name: "gone" });
  await container.start();
  expect((await container.wait()).code).toBe(3);
  await expect.poll(() => containersOf(t.directory)).toEqual([]);
  await expectError(t.engine.container("gone"), "NOT_FOUND", "no such container: gone");
  // The supervisor's list has no operation for a snapshot in memory: the next prune takes it.
  expect((await t.engine.prune()).snapshots).toEqual([container.id]);
});

test("with autoRemove the root file system may be lost in a crash, and need not be synced; others may not", async () => {
  const storage = memoryStorage();
  const asked: (boolean | undefined)[] = [];
  const prepare: typeof storage.prepare = (key, parent, options) => {
    if (/^[0-9a-f]{64}$/.test(key)) asked.push(options?.volatile);
    return storage.prepare(key, parent, options);
  };
  await using t = await bed({ local: busybox, storage: { ...storage, prepare } });
  for (const autoRemove of [true, false]) await t.engine.create({ image: "busybox", autoRemove });
  expect(asked).toEqual([true, false]);
});

test("a name can be used again as soon as the answer of autoRemove is there", async () => {
  await using t = await bed({ local: busybox });
  for (let round = 0; round < 5; round++) {
    const container = await t.engine.run({ image: "busybox", name: "same", autoRemove: true });
    expect((await container.wait()).code).toBe(0);
  }
});

test("a name in use is refused, with the holder", async () => {
  await using t = await bed({ local: busybox });
  const first = await t.engine.create({ image: "busybox", name: "taken" });
  await expectError(t.engine.create({ image: "busybox", name: "taken" }), "ALREADY_EXISTS", `in use by container ${first.id.slice(0, 12)}`);
  expect(await containersOf(t.directory)).toEqual([first.id]);
});

test("a reservation without its container is taken over", async () => {
  await using t = await bed({ local: busybox });
  await symlink(`../${"0".repeat(64)}`, join(t.directory, "root", "containers", "names", "dead"));
  expect((await t.engine.create({ image: "busybox", name: "dead" })).name).toBe("dead");
});

test.for([
  ["missing", "COMMAND_NOT_FOUND", 127],
  ["forbidden", "COMMAND_NOT_EXECUTABLE", 126],
] as const)("a program that is %s: %s, and the container has exited with %d", async ([program, code, status]) => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", command: [program] });
  await expectError(container.start(), code);
  expect(await container.inspect()).toMatchObject({ status: "exited", exit: { code: status } });
  const doomed = await t.engine.create({ image: "busybox", command: [program], autoRemove: true });
  await expectError(doomed.start(), code);
  expect(await containersOf(t.directory)).toEqual([container.id]);
});

test("a create that fails half-way leaves nothing", async () => {
  const failing = {
    hooks: {
      spec: () => {
        throw new RamekinError("INTERNAL", "no spec today");
      },
    },
    name: "failing",
  };
  await using t = await bed({ local: busybox, plugins: [failing] });
  await expectError(t.engine.create({ image: "busybox", name: "half" }), "INTERNAL", "no spec today");
  expect(await containersOf(t.directory)).toEqual([]);
  expect(await readdir(join(t.directory, "root", "containers", "names"))).toEqual([]);
  const keys: string[] = [];
  for await (const { key, kind } of t.storage.list()) if (kind === "active") keys.push(key);
  expect(keys).toEqual([]);
});

test("an exited container starts again", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox" });
  await container.wait();
  await using later = await t.open();
  const again = await later.container(container.id.slice(0, 12));
  await again.start({ attach: true });
  expect((await again.wait()).code).toBe(0);
  expect(t.isolation.calls.filter((call) => call === "create")).toHaveLength(2);
});

test("starting what runs changes nothing", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  await (await t.engine.container(container.id)).start();
  expect(t.isolation.calls.filter((call) => call === "start")).toHaveLength(1);
  await container.remove({ force: true });
});

test("stop sends the image's signal, then SIGKILL when that does not help", async () => {
  const image = makeImage({ config: { Cmd: ["sleep"], StopSignal: "3" } });
  await using t = await bed({ local: { image } });
  const polite = await t.engine.run({ image: "image" });
  expect((await polite.stop()).signal).toBe("SIGQUIT");
  const stubborn = await t.engine.run({ image: "image", command: ["stubborn"] });
  expect(await stubborn.stop({ timeout: 0 })).toMatchObject({ code: 137, signal: "SIGKILL" });
  expect((await stubborn.stop()).code).toBe(137);
});

test("a running container is removed by force only", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  await expectError(container.remove(), "FAILED_PRECONDITION", "it is running");
  await container.remove({ force: true });
  await container.remove({ force: true });
  expect(await containersOf(t.directory)).toEqual([]);
});

test("what never ran can neither be waited for nor stopped nor attached to", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox" });
  for (const attempt of [() => container.wait(), () => container.stop(), () => container.attach(), () => container.kill()]) {
    await expectError(attempt(), "FAILED_PRECONDITION");
  }
});

test("pause and unpause, and what a paused container refuses", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  await container.pause();
  expect((await t.engine.containers())[0]?.status).toBe("paused");
  await expectError(container.exec(["true"]), "FAILED_PRECONDITION", "is paused");
  await expectError(container.pause(), "FAILED_PRECONDITION", "is paused, not running");
  await container.unpause();
  await expectError(container.unpause(), "FAILED_PRECONDITION", "is running, not paused");
  await container.remove({ force: true });
});

test("exec: a second process with what the first one has", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  await using process = await container.exec(["echo", "from", "exec"], { env: { A: "2" } });
  expect(await textOf(process.stdout)).toBe("from exec\n");
  expect((await process.wait()).code).toBe(0);
  await expectError(container.exec(["missing"]), "COMMAND_NOT_FOUND");
  await expectError(container.exec([]), "INVALID_ARGUMENT");
  await container.remove({ force: true });
  await expectError(container.exec(["true"]), "NOT_FOUND");
});

test("logs: read later, or followed until the container ends", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["echo", "logged"] });
  await container.wait();
  for (const follow of [false, true]) {
    const lines: string[] = [];
    for await (const { line } of container.logs({ follow })) lines.push(Buffer.from(line).toString());
    expect(lines).toEqual(["logged"]);
  }
});

test("lists: running ones, newest first, or all", async () => {
  await using t = await bed({ local: busybox });
  const ended = await t.engine.run({ image: "busybox", name: "ended" });
  await ended.wait();
  await t.engine.create({ image: "busybox", name: "waiting" });
  const running = await t.engine.run({ image: "busybox", name: "running", command: ["sleep"] });
  expect((await t.engine.containers()).map(({ name, status }) => [name, status])).toEqual([["running", "running"]]);
  expect((await t.engine.containers({ all: true })).map(({ name, status }) => [name, status])).toEqual([
    ["running", "running"],
    ["waiting", "created"],
    ["ended", "exited"],
  ]);
  await running.remove({ force: true });
});

test("after a reboot, what ran has exited with 255", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  const state = join(t.directory, "root", "containers", container.id, "state.json");
  await writeFile(state, JSON.stringify({ ...JSON.parse(await readFile(state, "utf8")), bootId: "another" }));
  await using later = await t.open();
  const found = await later.container(container.id);
  expect(await found.inspect()).toMatchObject({ status: "exited", exit: { code: 255 } });
  expect((await found.wait()).code).toBe(255);
});

test("a container whose supervisor was killed has exited with 137, whether or not it can still say so", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"] });
  const state = join(t.directory, "root", "containers", container.id, "state.json");
  const before = JSON.parse(await readFile(state, "utf8"));
  await writeFile(state, JSON.stringify({ ...before, shim: { ...before.shim, startTime: 1 } }));
  expect(await container.inspect()).toMatchObject({ status: "exited", exit: { code: 137, error: "monitor lost" } });
  expect(t.isolation.calls).toContain("state");
});

test("what runs is described by the image and the options together", async () => {
  const image = makeImage({
    config: {
      Entrypoint: ["echo"],
      Cmd: ["cmd"],
      Env: ["PATH=/bin", "A=1", "B=2"],
      WorkingDir: "work",
      User: "daemon",
      Labels: { a: "1" },
    },
  });
  await using t = await bed({ local: { image } });
  const container = await t.engine.create({
    image: "image",
    env: { A: "3", C: "4" },
    hostname: "here",
    labels: { b: "2" },
    readOnly: true,
    tty: true,
  });
  const details = await container.inspect();
  expect(details.command).toEqual(["echo", "cmd"]);
  expect(details.labels).toEqual({ a: "1", b: "2" });
  const spec = JSON.parse(await readFile(join(details.bundle, "config.json"), "utf8"));
  expect(spec.process).toMatchObject({
    args: ["echo", "cmd"],
    cwd: "/work",
    terminal: true,
    env: ["PATH=/bin", "HOSTNAME=here", "TERM=xterm", "A=3", "B=2", "C=4"],
  });
  expect(spec.root.readonly).toBe(true);
  expect(spec.hostname).toBe("here");
  await container.start();
  expect(t.isolation.options.get(container.id)).toMatchObject({ user: "daemon", io: { terminal: true, stdin: "closed" } });
});

test.for([
  [{ network: "bridge" }, "UNSUPPORTED", "bridge networks are not supported yet"],
  [{ network: "nowhere" }, "NOT_FOUND", "network nowhere not found"],
  [{ name: "bad name" }, "INVALID_ARGUMENT", "invalid container name"],
  [{ workdir: "relative" }, "INVALID_ARGUMENT", "not an absolute path"],
  [{ mounts: [{ type: "bind", source: "/proc/nonexistent", target: "/x" }] }, "NOT_FOUND", "/proc/nonexistent"],
  [{ mounts: [{ type: "bind", source: "volume", target: "/x" }] }, "INVALID_ARGUMENT", "not an absolute path"],
  [{ storage: "none" }, "NOT_FOUND", "no storage driver is named none"],
  [{ log: { driver: "json-file", options: { x: "1" } } }, "INVALID_ARGUMENT", "unknown log option x"],
  [{ stopSignal: "SIGNOPE" }, "INVALID_ARGUMENT", "unknown signal"],
] as const)("create refuses %o", async ([options, code, text]) => {
  await using t = await bed({ local: busybox });
  await expectError(t.engine.create({ image: "busybox", ...(options as object) }), code, text);
  expect(await containersOf(t.directory)).toEqual([]);
});

test("an image without any command needs one", async () => {
  await using t = await bed({ local: { empty: makeImage() } });
  await expectError(t.engine.create({ image: "empty" }), "INVALID_ARGUMENT", "no command specified");
});

test("create pulls what is missing, and only then", async () => {
  const remote = {
    "docker.io/library/far:latest": makeIndex({
      amd64: makeImage({ config: { Cmd: ["true"] } }),
      s390x: makeImage({ architecture: "s390x" }),
    }),
  };
  await using t = await bed({ remote });
  await expectError(t.engine.create({ image: "far", pull: "never" }), "NOT_FOUND", "no such image: far");
  await t.engine.create({ image: "far" });
  const fetched = t.registry.fetched.length;
  await t.engine.create({ image: "far" });
  expect(t.registry.fetched).toHaveLength(fetched);
  await expectError(
    t.engine.create({ image: "far", platform: { os: "linux", architecture: "riscv64" } }),
    "UNSUPPORTED",
    "no matching manifest for linux/riscv64",
  );
  // The index is here, this platform's image is not yet.
  await t.engine.create({ image: "far", platform: { os: "linux", architecture: "s390x" }, command: ["true"] });
  expect(t.registry.fetched.length).toBeGreaterThan(fetched);
});

test("events are told from the call on", async () => {
  await using t = await bed({ local: busybox });
  const events = t.engine.events();
  const container = await t.engine.run({ image: "busybox", name: "loud" });
  await container.wait();
  await container.remove();
  const seen: string[] = [];
  for await (const { action } of events) {
    seen.push(action);
    if (action === "destroy") break;
  }
  expect(seen).toEqual(["create", "attach", "start", "die", "destroy"]);
});

test("disposal of what run returned removes it", async () => {
  await using t = await bed({ local: busybox });
  {
    await using container = await t.engine.run({ image: "busybox", command: ["sleep"] });
    expect(await containersOf(t.directory)).toEqual([container.id]);
  }
  expect(await containersOf(t.directory)).toEqual([]);
});
