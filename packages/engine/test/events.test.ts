import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { EngineEvent } from "../src/api.ts";
import { matchesFilters } from "../src/event-filters.ts";
import { appendEvent, segmentBytes } from "../src/store/journal.ts";
import { parseLine, readJournal } from "../src/store/journal-reader.ts";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const busybox = { busybox: makeImage({ config: { Cmd: ["true"], Labels: { tier: "web" } }, layers: ["one"] }) };

async function scratch() {
  const path = await mkdtemp(join(tmpdir(), "ramekin-journal-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const event = (id: string) => ({ type: "container", action: "start", id, attributes: {} });
const program = ["--conditions=ramekin-source", join(import.meta.dirname, "append-events.ts")];

async function collect(events: AsyncIterable<EngineEvent>): Promise<EngineEvent[]> {
  const all: EngineEvent[] = [];
  for await (const each of events) all.push(each);
  return all;
}

test("[OBS-2] many processes write at once, one is killed: no line is lost of those that lived", async () => {
  await using at = await scratch();
  const directory = join(at.path, "events");
  await writeFile(join(at.path, "full"), "");
  const killed = spawn(process.execPath, [...program, directory, "killed", "100000000"], { stdio: "ignore" });
  const writers = [0, 1, 2, 3].map((who) => promisify(execFile)(process.execPath, [...program, directory, `writer${who}`, "400"]));
  await Promise.all(writers);
  killed.kill("SIGKILL");
  await once(killed, "close");
  const names = await readdir(directory);
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n").slice(0, -1));
  // The kernel ends a write between two pages when its process is killed: whoever sees such a line ends it. Who sees one that is just
  // being written ends it, too, which leaves an empty one.
  expect(
    lines.filter((line) => line !== "" && !parseLine(line)).length,
    lines.find((line) => !parseLine(line)),
  ).toBeLessThanOrEqual(1);
  const seen = [...readJournal(directory).read()];
  for (const who of [0, 1, 2, 3]) expect(seen.filter(({ id }) => id === `writer${who}`)).toHaveLength(400);
});

test("[OBS-2] a torn line is ignored, and takes none along", async () => {
  await using at = await scratch();
  appendEvent(at.path, event("one"));
  await appendFile(join(at.path, "0000000001.jsonl"), '{"time":"2026-01-01T00:00:00Z","type":"conta');
  const reader = readJournal(at.path);
  expect([...reader.read()].map(({ id }) => id)).toEqual(["one"]);
  appendEvent(at.path, event("two"));
  expect([...reader.read()].map(({ id }) => id)).toEqual(["two"]);
});

test("[OBS-2] a full segment is followed by the next, eight are kept, and a reader goes along", async () => {
  await using at = await scratch();
  for (let number = 1; number <= 8; number++) await writeFile(join(at.path, `000000000${number}.jsonl`), "\n");
  const reader = readJournal(at.path, { fromEnd: true });
  appendEvent(at.path, event("before"));
  await appendFile(join(at.path, "0000000008.jsonl"), `${" ".repeat(segmentBytes)}\n`);
  appendEvent(at.path, event("after"));
  expect((await readdir(at.path)).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((number) => `000000000${number}.jsonl`));
  expect([...reader.read()].map(({ id }) => id)).toEqual(["before", "after"]);
});

test("[OBS-2] since and until choose from what has been, and what another engine does is seen too", async () => {
  await using t = await bed({ local: busybox });
  const before = new Date();
  const container = await t.engine.create({ image: "busybox", name: "one", labels: { color: "blue" } });
  await new Promise((done) => setTimeout(done, 5));
  const between = new Date();
  await new Promise((done) => setTimeout(done, 5));
  await using other = await t.open();
  await (await other.container("one")).start();
  await container.wait();
  await (await other.container("one")).remove();
  const actions = async (options: Parameters<typeof t.engine.events>[0]) =>
    (await collect(t.engine.events(options))).filter(({ type }) => type === "container").map(({ action }) => action);
  expect(await actions({ since: before, until: new Date() })).toEqual(["create", "start", "die", "destroy"]);
  expect(await actions({ since: before, until: between })).toEqual(["create"]);
  expect(await actions({ since: between, until: new Date() })).toEqual(["start", "die", "destroy"]);
  expect(await actions({ until: new Date(before.getTime() - 1) })).toEqual([]);
  const [created] = await collect(t.engine.events({ since: before, until: between, filters: { event: ["create"] } }));
  expect(created).toMatchObject({ id: container.id, attributes: { name: "one", image: "busybox", color: "blue", tier: "web" } });
});

test("[OBS-2] until in the future waits for it; a signal cancels", async () => {
  await using t = await bed({ local: busybox });
  const soon = collect(t.engine.events({ until: new Date(Date.now() + 300), filters: { type: ["container"] } }));
  await t.engine.create({ image: "busybox", name: "one" });
  expect((await soon).map(({ action }) => action)).toEqual(["create"]);
  await expectError(collect(t.engine.events({ signal: AbortSignal.timeout(50) })), "CANCELLED");
});

test("[OBS-2] a journal that cannot be written to is told of, and changes nothing else", async () => {
  await using t = await bed({ local: busybox });
  await rm(join(t.directory, "root", "events"), { recursive: true });
  await writeFile(join(t.directory, "root", "events"), "in the way");
  await t.engine.create({ image: "busybox", name: "one" });
  expect(t.warnings.join()).toContain("writing down the event create");
  await rm(join(t.directory, "root", "events"));
  await mkdir(join(t.directory, "root", "events"));
});

test("[OBS-2] filters: alternatives within a key, all keys, all labels", () => {
  const about: EngineEvent = {
    time: new Date(),
    timeNano: 0n,
    type: "container",
    action: "exec_start: ls -l",
    id: "abcdef",
    attributes: { name: "web", image: "docker.io/library/busybox:1.37", color: "blue" },
  };
  const is = (filters: Parameters<typeof matchesFilters>[1]) => matchesFilters(about, filters);
  expect(is({})).toBe(true);
  expect(is({ event: ["die", "exec_start"] })).toBe(true);
  expect(is({ event: ["exec_start: ls -l"], type: ["container"] })).toBe(true);
  expect(is({ event: ["exec"] })).toBe(false);
  expect(is({ container: ["web"] }) && is({ container: ["abc"] })).toBe(true);
  expect(is({ container: ["we"] }) || is({ container: [""] })).toBe(false);
  expect(is({ image: ["busybox"] }) && is({ image: ["busybox:1.37"] })).toBe(true);
  expect(is({ image: ["busybox:1"] })).toBe(false);
  expect(is({ label: ["color", "name=web"] })).toBe(true);
  expect(is({ label: ["color", "color=red"] })).toBe(false);
  expect(is({ type: ["image"], container: ["web"] })).toBe(false);
});
