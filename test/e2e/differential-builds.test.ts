import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { dockerDaemon, noDocker } from "../support/docker.ts";
import { busyboxImage, missing, noKitchen, useKitchen } from "../support/index.ts";
import { buildAll, fileServer } from "./differential-builds/build-all.ts";
import { type Builder, buildah, docker, noBuildah, ramekin } from "./differential-builds/builders.ts";
import { cases } from "./differential-builds/cases.ts";
import { makeContexts } from "./differential-builds/context.ts";
import { differences, type Peer } from "./differential-builds/differences.ts";
import { readRecord, writeRecord } from "./differential-builds/record.ts";
import { type Aspect, aspects, shape, type View } from "./differential-builds/view.ts";

/** What our answers are held against; `buildkit` is a current one (record-buildkit.ts). */
const every: readonly Peer[] = ["buildkit", "dockerd", "classic", "buildah"];

// The peers take several times as long as we do: our answers are held against their recorded ones. RAMEKIN_DIFFERENTIAL=record builds
// with those that are installed, and writes down what they make of it.
const record = process.env["RAMEKIN_DIFFERENTIAL"] === "record";
const recordOf = (peer: string) => join(import.meta.dirname, `differential-builds/${peer}.json`);

const peers = every.filter((peer) => existsSync(recordOf(peer)));

// Some 320 builds take minutes.
const unasked = process.env["RAMEKIN_DIFFERENTIAL"] === undefined ? "RAMEKIN_DIFFERENTIAL is not set: builds, or record" : undefined;
const absent = unasked ?? missing("python3", "bzip2", "xz");
const here = useKitchen(async () => ({ images: [await busyboxImage()] }), absent);
const views = new Map<string, ReadonlyMap<string, View>>();

beforeAll(async () => {
  if (absent !== undefined || noKitchen !== undefined) return;
  const pristine = join(here().folder, "contexts");
  await makeContexts(pristine, cases);
  await using server = await fileServer(join(pristine, ".shared"));
  const build = async (builder: Builder) => {
    const contexts = join(here().folder, `contexts-${builder.name}`);
    await makeContexts(contexts, cases);
    const made = await buildAll(builder, cases, contexts, server.port);
    views.set(builder.name, made);
    if (builder.name !== "ramekin") await writeRecord(recordOf(builder.name), made);
  };
  const withDocker = async () => {
    if (!record || noDocker !== undefined) return;
    await using daemon = await dockerDaemon();
    const { buildkit, classic } = docker(daemon.command, daemon.folder);
    await build(buildkit);
    await build(classic);
  };
  const withBuildah = async () => {
    if (!record || noBuildah !== undefined) return;
    await using builder = await buildah(join(here().folder, "buildah"));
    await build(builder);
  };
  // Each has a store of its own, and much of its time is waiting.
  await Promise.all([build(ramekin(here())), withDocker(), withBuildah()]);
  for (const peer of peers) views.set(peer, await readRecord(recordOf(peer)));
}, 1_800_000);

const rows: readonly (readonly [pattern: RegExp, row: string])[] = [
  [/^mount-/, "BLD-4"],
  [/^run-(?:network|security)/, "BLD-5"],
  [/^(?:heredoc|directive|escape)-/, "BLD-2"],
  [/^(?:env|arg|expansion)-/, "BLD-3"],
  [/^copy-ignored/, "BLD-20"],
  [/^(?:copy|add)-/, "BLD-6"],
  [/^stages-/, "BLD-7"],
  [/^cache-/, "BLD-8"],
  [/^/, "BLD-1"],
];
const rowOf = (name: string) => rows.find(([pattern]) => pattern.test(name))?.[1];

describe.each(peers)("as %s has it", (peer) => {
  test.each(cases.map(({ name }) => [rowOf(name), name] as const))("[%s] %s", (_, name) => {
    const ours = views.get("ramekin")?.get(name);
    const theirs = views.get(peer)?.get(name);
    if (ours === undefined || theirs === undefined) throw new Error(`${name}: not built`);
    const listed = differences.filter((difference) => difference.peers.includes(peer) && difference.cases.includes(name));
    // What differs in one way is not compared in the others.
    const asked = listed.length > 0 ? listed.map(({ what }) => what) : aspects;
    for (const aspect of asked) {
      const [one, other] = [comparable(ours, aspect, peer), comparable(theirs, aspect, peer)];
      if (listed.length > 0) expect(JSON.stringify(one), "a listed difference is none any more").not.toBe(JSON.stringify(other));
      else expect(one, aspect).toEqual(other);
    }
  });
});

test("every listed difference is one of a case that there is", () => {
  const known = new Set(cases.map(({ name }) => name));
  expect(differences.flatMap((difference) => difference.cases).filter((name) => !known.has(name))).toEqual([]);
});

/** Only a current BuildKit writes history and titles of steps as we do; of the others it is the shape, and how many steps. */
function comparable(view: View, aspect: Aspect, peer: Peer): unknown {
  if (aspect === "history" && peer !== "buildkit") return shape(view.history);
  if (aspect === "changes" && peer !== "buildkit") return Object.entries(view.changes).map(([what, steps]) => `${what}: ${steps.length}`);
  return sorted(view[aspect]);
}

/** Keys of objects in order, so that the comparison as text is one of meaning. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
