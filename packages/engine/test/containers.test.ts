import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { select } from "../src/top.ts";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const busybox = { busybox: makeImage({ config: { Cmd: ["true"] }, layers: ["one"] }) };

test("restart stops what runs, starts what does not, and says so", async () => {
  await using t = await bed({ local: busybox });
  const actions: string[] = [];
  const listening = (async () => {
    for await (const { action } of t.engine.events()) actions.push(action);
  })();
  const container = await t.engine.create({ image: "busybox", command: ["sleep"], name: "again" });
  await container.restart();
  await container.restart({ timeout: 1, stopSignal: "SIGQUIT" });
  await container.kill();
  await container.wait();
  await container.restart();
  expect((await container.inspect()).status).toBe("running");
  expect(t.isolation.calls.filter((call) => call === "start")).toHaveLength(3);
  await container.remove({ force: true });
  await t.engine[Symbol.asyncDispose]();
  await listening;
  expect(actions.filter((action) => ["start", "stop", "restart"].includes(action))).toEqual([
    ...["start", "restart"],
    ...["stop", "start", "restart"],
    ...["start", "restart"],
  ]);
});

test("where its supervisor cannot restart what would be removed, that is refused, and leaves it running", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"], autoRemove: true, name: "once" });
  await expectError(container.restart(), "UNSUPPORTED", "container once cannot be restarted");
  expect((await container.inspect()).status).toBe("running");
  await container.remove({ force: true });
});

test("rename: found by its new name only, with all else as it was; the old one is free", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", name: "old" });
  const path = join(t.directory, "root", "containers", container.id, "config.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), later: "field" }));
  await container.rename("new");
  expect((await t.engine.container("new")).id).toBe(container.id);
  await expectError(t.engine.container("old"), "NOT_FOUND");
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ name: "new", later: "field" });
  expect((await t.engine.check()).problems).toEqual([]);
  await t.engine.create({ image: "busybox", name: "old" });
  await expectError(container.rename("old"), "ALREADY_EXISTS", "container name old is in use");
  await expectError(container.rename("new"), "INVALID_ARGUMENT", "has this name already");
  await expectError(container.rename("-"), "INVALID_ARGUMENT", "invalid container name");
  // a handle that knows the old name removes the right one
  await container.remove();
  expect((await readdir(join(t.directory, "root", "containers", "names"))).filter((name) => !name.startsWith("."))).toEqual(["old"]);
  await expectError(container.rename("other"), "NOT_FOUND");
});

test("of many that want one name exactly one gets it", async () => {
  await using t = await bed({ local: busybox });
  const all = await Promise.all(["a1", "a2", "a3", "a4"].map((name) => t.engine.create({ image: "busybox", name })));
  const results = await Promise.allSettled([
    ...all.map((container) => container.rename("wanted")),
    t.engine.create({ image: "busybox", name: "wanted" }),
  ]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await t.engine.containers({ all: true })).filter(({ name }) => name === "wanted")).toHaveLength(1);
  expect((await t.engine.check()).problems).toEqual([]);
});

test.each([
  { step: "the new name was reserved", name: "old", left: "new" },
  { step: "the configuration was written", name: "new", left: "old" },
])("killed when $step: the configuration says the name, and the other is free", async ({ name, left }) => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", name });
  const names = join(t.directory, "root", "containers", "names");
  const crash = () => symlink(`../${container.id}`, join(names, left));
  const listed = async () => (await t.engine.containers({ all: true })).map((info) => info.name).sort();
  const held = async () => (await readdir(names)).filter((entry) => !entry.startsWith(".")).sort();

  await crash();
  expect(await listed()).toEqual([name]);
  expect((await t.engine.container(name)).id).toBe(container.id);
  await expectError(t.engine.container(left), "NOT_FOUND");
  expect((await t.engine.check()).problems).toMatchObject([{ kind: "name", id: left }]);
  await t.engine.check({ repair: true });
  expect(await held()).toEqual([name]);

  await crash();
  await t.engine.prune();
  expect(await held()).toEqual([name]);

  await crash();
  const other = await t.engine.create({ image: "busybox", name: left });
  expect((await t.engine.container(left)).id).toBe(other.id);
  await other.remove();

  await crash();
  await container.rename(left); // the same again
  expect(await held()).toEqual([left]);
  expect((await t.engine.check()).problems).toEqual([]);
});

test("a container that removes itself is renamed before it runs; then only where its supervisor can be told", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", command: ["sleep"], autoRemove: true, name: "once" });
  await container.rename("twice");
  await container.start();
  await expectError(container.rename("thrice"), "UNSUPPORTED", "container twice cannot be renamed");
  expect((await t.engine.container("twice")).id).toBe(container.id);
  await expectError(t.engine.container("thrice"), "NOT_FOUND");
  await container.remove({ force: true });
});

test("top: the lines of the container's processes and their threads; the rest of a line is one cell", () => {
  const text = "  PID LWP CMD\n    1  -  init --system\n    -  1 -\n   42   -  sleep  1 2\n    - 42 -\n   43  - no\n";
  expect(select(text, new Set([42]))).toEqual({
    titles: ["PID", "LWP", "CMD"],
    processes: [
      ["42", "-", "sleep 1 2"],
      ["-", "42", "-"],
    ],
  });
  expect(() => select("CMD\nsh\n", new Set([42]))).toThrow("no column PID");
});

test("top of what does not run, or with a column that is called PID and is not, is refused", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.create({ image: "busybox", name: "still" });
  await expectError(container.top(), "FAILED_PRECONDITION", "container still is not running");
  await expectError(container.top(["-o", "user=PID"]), "INVALID_ARGUMENT", "user=PID is not allowed");
});
