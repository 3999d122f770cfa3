import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, missing, noKitchen, useKitchen } from "../support/index.ts";
import { buildAll, fileServer } from "./differential-builds/build-all.ts";
import { ramekin } from "./differential-builds/builders.ts";
import { type BuildCase, cases } from "./differential-builds/cases.ts";
import { makeContexts } from "./differential-builds/context.ts";
import { type Difference, differences } from "./differential-builds/differences.ts";
import { absent, askPeers, isRecorded, type Peer, peers, recordOf } from "./differential-builds/peers.ts";
import { readRecord, writeRecord } from "./differential-builds/record.ts";
import { aspects, comparable, type View } from "./differential-builds/view.ts";

// The peers take many times as long as we do: our answers are held against their recorded ones. RAMEKIN_DIFFERENTIAL=live asks those that are
// installed, =record writes down what they say, too; `record:buildah,classic` only these, `record:buildah:copy-user` only of that case.
const [mode = "", only = "", named = ""] = (process.env["RAMEKIN_DIFFERENTIAL"] ?? "").split(":");
if (!["", "live", "record"].includes(mode)) throw new Error(`RAMEKIN_DIFFERENTIAL=${mode}: live, or record`);
const asked = peers.filter((peer) => mode !== "" && (only === "" || only.split(",").includes(peer)) && absent[peer] === undefined);
const askedCases = named === "" ? cases : cases.filter(({ name }) => named.split(",").includes(name));

const unfit = missing("python3", "bzip2", "xz");
const here = useKitchen(async () => ({ images: [await busyboxImage()] }), unfit);
const views = new Map<Peer | "ramekin", ReadonlyMap<string, View>>();

beforeAll(async () => {
  if (unfit !== undefined || noKitchen !== undefined) return;
  const contexts = join(here().folder, "contexts");
  await makeContexts(contexts, cases);
  await using server = await fileServer(join(contexts, ".shared"));
  const { port } = server;
  await using builder = await ramekin(here());
  // Half of the time of a build is waiting for processes.
  views.set("ramekin", await buildAll(builder, cases, { contexts, port, lanes: 4 }));
  const answers = await askPeers(asked, askedCases, { folder: join(here().folder, "peers"), port });
  if (mode === "record") for (const [peer, said] of answers) await writeRecord(recordOf(peer), said);
  for (const peer of peers) {
    const recorded = isRecorded(peer) ? await readRecord(recordOf(peer)) : [];
    views.set(peer, new Map([...recorded, ...(answers.get(peer) ?? [])]));
  }
}, 3_600_000);

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
const rowOf = ({ name }: BuildCase) => rows.find(([pattern]) => pattern.test(name))?.[1];

describe.each(peers.filter((peer) => isRecorded(peer) || asked.includes(peer)))("as %s has it", (peer) => {
  test.each(cases.map((each) => [rowOf(each), each.name] as const))("[%s] %s", (_, name) => {
    const ours = views.get("ramekin")?.get(name);
    const theirs = views.get(peer)?.get(name);
    if (ours === undefined || theirs === undefined) throw new Error(`${name}: not built`);
    compare(
      comparable(ours, peer),
      comparable(theirs, peer),
      differences.filter((each) => each.peers.includes(peer) && each.cases.includes(name)),
    );
  });
});

/** All that is not listed is the same, and all that is listed is not. */
function compare(ours: View, theirs: View, listed: readonly Difference[]): void {
  // An image that one of them has not made cannot be compared any further.
  const refusal = listed.find(({ what }) => what === "outcome");
  if (refusal) {
    expect(listed, "of what one refuses, nothing else can differ").toEqual([refusal]);
    return void expect([ours.outcome, theirs.outcome].sort(), "a listed difference is none any more").toEqual(["built", "refused"]);
  }
  for (const aspect of aspects) {
    const [one, other] = [{ ...asObject(ours[aspect]) }, { ...asObject(theirs[aspect]) }];
    for (const { at } of listed.filter(({ what }) => what === aspect)) {
      for (const key of at) {
        expect(JSON.stringify(one[key]), `${aspect} ${key}: a listed difference is none any more`).not.toBe(JSON.stringify(other[key]));
        delete one[key];
        delete other[key];
      }
    }
    expect(one, aspect).toStrictEqual(other);
  }
}

/** By numbers, if it is a list. */
const asObject = (value: unknown): Record<string, unknown> => (typeof value === "object" ? { ...value } : { "": value });

test("every listed difference is one of a case that there is", () => {
  const known = new Set(cases.map(({ name }) => name));
  expect(differences.flatMap((difference) => difference.cases).filter((name) => !known.has(name))).toEqual([]);
});

test("of 60 Dockerfiles or more each peer makes what we make", () => {
  for (const peer of peers.filter((each) => views.get(each)?.size)) {
    const built = [...(views.get(peer) ?? [])].filter(([, { outcome }]) => outcome === "built").map(([name]) => name);
    const differs = new Set(differences.filter((each) => each.peers.includes(peer)).flatMap((difference) => difference.cases));
    const same = built.filter((name) => !differs.has(name));
    expect(same.length, peer).toBeGreaterThanOrEqual(60);
  }
});
