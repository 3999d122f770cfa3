import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { lock } from "@ramekin/native";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, test } from "vitest";
import type { Container, Engine, Exec, HostFiles, Secrets, Volumes } from "../src/api.ts";
import { pathsOf } from "../src/store/paths.ts";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const busybox = { busybox: makeImage({ config: { Cmd: ["sleep"] }, layers: ["one", "two"] }) };
const tar = async function* () {};

type Methods<T> = {
  [K in keyof T & string as T[K] extends (...args: never) => unknown ? K : never]: (it: T, signal: AbortSignal) => unknown;
};

// Every method of the typed API: one that comes has to be written here, and one that cannot be cancelled does not type-check.
const engine: Methods<Engine> = {
  pull: (it, signal) => it.pull("busybox", { signal }),
  load: (it, signal) => it.load("/nowhere", { signal }),
  unpack: (it, signal) => it.unpack("busybox", { signal }),
  images: (it, signal) => it.images({ signal }),
  image: (it, signal) => it.image("busybox", { signal }),
  tag: (it, signal) => it.tag("busybox", "other", { signal }),
  removeImage: (it, signal) => it.removeImage("busybox", { force: true, signal }),
  create: (it, signal) => it.create({ image: "busybox", signal }),
  run: (it, signal) => it.run({ image: "busybox", signal }),
  explain: (it, signal) => it.explain({ image: "busybox", signal }),
  container: (it, signal) => it.container("box", { signal }),
  startAll: (it, signal) => it.startAll({ signal }),
  containers: (it, signal) => it.containers({ signal }),
  stats: (it, signal) => it.stats({ signal }),
  prune: (it, signal) => it.prune({ signal }),
  events: (it, signal) => it.events({ signal }),
  buildCache: (it, signal) => it.buildCache({ signal }),
  pruneBuilds: (it, signal) => it.pruneBuilds({ signal }),
  doctor: (it, signal) => it.doctor({ signal }),
  info: (it, signal) => it.info({ signal }),
  openBuild: (it, signal) => it.openBuild({ signal }),
  remoteTags: (it, signal) => it.remoteTags("busybox", { signal }),
  referrers: (it, signal) => it.referrers("busybox", { signal }),
  push: (it, signal) => it.push("busybox", { signal }),
  save: (it, signal) => it.save(["busybox"], "/nowhere/file", { signal }),
  import: (it, signal) => it.import(tar(), { signal }),
  exportImage: (it, signal) => it.exportImage("busybox", { signal }),
  squashImage: (it, signal) => it.squashImage("busybox", { signal }),
  history: (it, signal) => it.history("busybox", { signal }),
  imageChanges: (it, signal) => it.imageChanges("busybox", undefined, { signal }),
  platforms: (it, signal) => it.platforms("busybox", { signal }),
  mountImage: (it, signal) => it.mountImage("busybox", { signal }),
  mountedImages: (it, signal) => it.mountedImages({ signal }),
  unmountImage: (it, signal) => it.unmountImage("busybox", { signal }),
  pruneImages: (it, signal) => it.pruneImages({ all: true, signal }),
  inspectManifest: (it, signal) => it.inspectManifest("busybox", { signal }),
  createManifestList: (it, signal) => it.createManifestList("list", ["busybox"], { signal }),
  annotateManifest: (it, signal) => it.annotateManifest("list", "busybox", { os: "linux" }, { signal }),
  pushManifestList: (it, signal) => it.pushManifestList("list", { signal }),
  removeManifestList: (it, signal) => it.removeManifestList("list", { signal }),
  login: (it, signal) => it.login("r.test", { signal }),
  logout: (it, signal) => it.logout("r.test", { signal }),
  account: (it, signal) => it.account("r.test", { signal }),
  diskUsage: (it, signal) => it.diskUsage({ signal }),
  pruneContainers: (it, signal) => it.pruneContainers({ signal }),
  gc: (it, signal) => it.gc({}, { signal }),
  check: (it, signal) => it.check({ signal }),
};

const container: Methods<Container> = {
  inspect: (it, signal) => it.inspect({ signal }),
  start: (it, signal) => it.start({ signal }),
  attach: (it, signal) => it.attach({ signal }),
  wait: (it, signal) => it.wait({ signal }),
  stop: (it, signal) => it.stop({ signal }),
  restart: (it, signal) => it.restart({ signal }),
  rename: (it, signal) => it.rename("other", { signal }),
  kill: (it, signal) => it.kill("SIGKILL", { signal }),
  checkHealth: (it, signal) => it.checkHealth({ signal }),
  waitUntil: (it, signal) => it.waitUntil({ is: "ended" }, { signal }),
  update: (it, signal) => it.update({ restartPolicy: { name: "always" } }, { signal }),
  pause: (it, signal) => it.pause({ signal }),
  unpause: (it, signal) => it.unpause({ signal }),
  resize: (it, signal) => it.resize({ rows: 1, columns: 1 }, { signal }),
  exec: (it, signal) => it.exec(["true"], { signal }),
  logs: (it, signal) => it.logs({ signal }),
  logBatches: (it, signal) => it.logBatches({ signal }),
  stats: (it, signal) => it.stats({ signal }),
  changes: (it, signal) => it.changes({ signal }),
  size: (it, signal) => it.size({ signal }),
  look: (it, signal) => it.look("/", { signal }),
  copyFrom: (it, signal) => it.copyFrom("/", { signal }),
  copyTo: (it, signal) => it.copyTo("/", tar(), { signal }),
  export: (it, signal) => it.export({ signal }),
  commit: (it, signal) => it.commit({ signal }),
  fork: (it, signal) => it.fork({ signal }),
  reset: (it, signal) => it.reset({ force: true, signal }),
  top: (it, signal) => it.top(undefined, { signal }),
  remove: (it, signal) => it.remove({ force: true, signal }),
};

const volumes: Methods<Volumes> = {
  create: (it, signal) => it.create({ name: "new", signal }),
  list: (it, signal) => it.list({ signal }),
  inspect: (it, signal) => it.inspect("kept", { signal }),
  remove: (it, signal) => it.remove("kept", { signal }),
  prune: (it, signal) => it.prune({ all: true, signal }),
  export: (it, signal) => it.export("kept", { signal }),
  import: (it, signal) => it.import("kept", tar(), { signal }),
};

const secrets: Methods<Secrets> = {
  create: (it, signal) => it.create("new", Buffer.from("x"), { signal }),
  list: (it, signal) => it.list({ signal }),
  inspect: (it, signal) => it.inspect("kept", { signal }),
  remove: (it, signal) => it.remove("kept", { signal }),
};

const exec: Methods<Exec> = {
  kill: (it, signal) => it.kill("SIGKILL", { signal }),
  resize: (it, signal) => it.resize({ rows: 1, columns: 1 }, { signal }),
  wait: (it, signal) => it.wait({ signal }),
};

const hostFiles: Methods<HostFiles> = {
  look: (it, signal) => it.look("/", { signal }),
  copyFrom: (it, signal) => it.copyFrom("/", { signal }),
  copyTo: (it, signal) => it.copyTo("/", tar(), { signal }),
};

/** To the end of what it answers with, be that to await or to read. */
async function settled(answer: unknown): Promise<void> {
  if (answer instanceof Promise) await answer;
  else for await (const _ of answer as AsyncIterable<unknown>);
}

const names = (it: object) => Object.keys(it).filter((name) => typeof it[name as keyof typeof it] === "function");

test("no method begins once its signal has fired, and each says CANCELLED", async () => {
  await using t = await bed({ local: busybox });
  const box = await t.engine.run({ image: "busybox", name: "box" });
  await t.engine.volumes.create({ name: "kept" });
  await t.engine.secrets.create("kept", Buffer.from("x"));
  const process = await box.exec(["sleep"], { detach: true });
  const tables = [
    ["engine", t.engine, engine],
    ["container", box, container],
    ["volumes", t.engine.volumes, volumes],
    ["secrets", t.engine.secrets, secrets],
    ["exec", process, exec],
    ["hostFiles", t.engine.hostFiles, hostFiles],
  ] as const;
  const calls = [...t.isolation.calls];
  for (const [what, it, table] of tables) {
    expect(Object.keys(table).sort(), what).toEqual(names(it).sort());
    for (const [name, call] of Object.entries(table) as [string, (it: unknown, signal: AbortSignal) => unknown][]) {
      const reason = new Error("enough");
      const error = await settled(call(it, AbortSignal.abort(reason))).catch((thrown: unknown) => thrown);
      expect(error, `${what}.${name}`).toMatchObject({ name: "RamekinError", code: "CANCELLED", cause: reason });
    }
  }
  expect(t.isolation.calls).toEqual(calls);
  expect((await box.inspect()).status).toBe("running");
  expect((await t.engine.images()).length).toBe(1);
  expect((await t.engine.volumes.list()).map(({ name }) => name)).toEqual(["kept"]);
  expect((await t.engine.secrets.list()).map(({ name }) => name)).toEqual(["kept"]);
  await box.remove({ force: true });
});

test("who waits for somebody else's lock gives up waiting, and nothing has changed", async () => {
  await using t = await bed({ local: busybox });
  const box = await t.engine.run({ image: "busybox", name: "box" });
  const paths = pathsOf(join(t.directory, "root"), join(t.directory, "run"));
  const cases: [string, string, (signal: AbortSignal) => Promise<unknown>][] = [
    ...(["remove", "reset", "rename", "update"] as const).map((name): (typeof cases)[number] => [
      name,
      paths.container(box.id).lock,
      async (signal) => container[name](box, signal),
    ]),
    ...(["tag", "removeImage"] as const).map((name): (typeof cases)[number] => [
      name,
      paths.indexLock,
      async (signal) => engine[name](t.engine, signal),
    ]),
    ...(["prune", "gc", "create"] as const).map((name): (typeof cases)[number] => [
      name,
      paths.lock,
      async (signal) => engine[name](t.engine, signal),
    ]),
  ];
  const loose = await t.engine.create({ image: "busybox", name: "loose" });
  await loose.remove();
  for (const [name, path, call] of cases) {
    // An image that a container uses cannot go: here it is another's turn to be in the way.
    if (name === "removeImage") await box.remove({ force: true });
    await using _held = await lock(path, { kind: "exclusive" });
    const enough = new AbortController();
    const waiting = expectError(call(enough.signal), "CANCELLED");
    setTimeout(() => enough.abort(), 50);
    await waiting.catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}`);
    });
  }
  expect((await t.engine.images()).map(({ name }) => name)).toEqual(["docker.io/library/busybox:latest"]);
  expect(await t.engine.containers({ all: true })).toEqual([]);
});

test("what only looks is given up at once, whatever it waits for", async () => {
  const never = () => new Promise<never>(() => {});
  await using t = await bed({ local: busybox, storage: { ...memoryStorage(), usage: never } });
  Object.assign(t.isolation, { stats: never });
  const box = await t.engine.run({ image: "busybox", name: "box" });
  for (const call of [
    (signal: AbortSignal) => box.size({ signal }),
    (signal: AbortSignal) => box.stats({ signal }),
    (signal: AbortSignal) => t.engine.containers({ size: true, signal }),
    (signal: AbortSignal) => t.engine.diskUsage({ signal }),
  ]) {
    const enough = new AbortController();
    setTimeout(() => enough.abort(new RamekinError("ABORTED", "enough")), 50);
    await expectError(call(enough.signal), "CANCELLED");
  }
  await box.remove({ force: true });
});

test("who gives up waiting for a process takes the answer from nobody else", async () => {
  await using t = await bed({ local: busybox });
  await using box = await t.engine.run({ image: "busybox", name: "box" });
  await using process = await box.exec(["sleep"], { detach: true });
  const enough = new AbortController();
  const first = expectError(process.wait({ signal: enough.signal }), "CANCELLED");
  const others = Promise.all([process.wait(), process.wait()]);
  enough.abort();
  await first;
  await process.kill("SIGTERM");
  expect((await others).map(({ code }) => code)).toEqual([143, 143]);
  expect(await process.wait()).toMatchObject({ code: 143 });
});
