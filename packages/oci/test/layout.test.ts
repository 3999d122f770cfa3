import type { Descriptor } from "@ramekin/core";
import { expect, test } from "vitest";
import {
  checkLayoutMarker,
  emptyLayoutIndex,
  findName,
  formatLayoutIndex,
  layoutEntries,
  layoutMarker,
  mediaTypes,
  namesOf,
  parseLayoutIndex,
  putName,
  putUnnamed,
  refName,
  removeDigest,
  removeName,
} from "../src/index.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const image = (letter: string): Descriptor => ({ mediaType: mediaTypes.manifest, digest: `sha256:${letter.repeat(64)}`, size: 1 });
const [a, b] = [image("a"), image("b")];
const shape = (index: typeof emptyLayoutIndex) => layoutEntries(index).map((entry) => `${refName(entry) ?? "-"}=${entry.digest[7]}`);

test("a name points at one thing", () => {
  const index = putName(putName(emptyLayoutIndex, "one", a), "two", a);
  expect(shape(index)).toEqual(["one=a", "two=a"]);
  expect(findName(index, "one")?.digest).toBe(a.digest);
  expect(namesOf(index, a.digest)).toEqual(["one", "two"]);
  expect(shape(putName(index, "one", b))).toEqual(["two=a", "one=b"]);
});

test("what loses its last name stays, without one", () => {
  const named = putName(emptyLayoutIndex, "one", a);
  expect(shape(removeName(named, "one"))).toEqual(["-=a"]);
  expect(shape(putName(named, "one", b))).toEqual(["-=a", "one=b"]);
  expect(shape(removeName(putName(named, "two", a), "one"))).toEqual(["two=a"]);
  expect(removeName(named, "absent")).toEqual(named);
});

test("a name takes over the entry without one", () => {
  const untagged = putUnnamed(emptyLayoutIndex, a);
  expect(shape(putName(untagged, "one", a))).toEqual(["one=a"]);
  expect(shape(putUnnamed(putName(emptyLayoutIndex, "one", a), a))).toEqual(["one=a"]);
});

test("putting the same name twice changes nothing", () => {
  const once = putName(emptyLayoutIndex, "one", a);
  expect(putName(once, "one", a)).toEqual(once);
});

test("removing a digest takes all its names", () => {
  expect(shape(removeDigest(putName(putName(putName(emptyLayoutIndex, "one", a), "two", a), "three", b), a.digest))).toEqual(["three=b"]);
});

test("what others wrote survives every change", () => {
  const foreign = [
    { ...a, "x-unknown": [1] },
    { mediaType: "text/plain", digest: `sha256:${"c".repeat(64)}`, size: 2, annotations: { k: "v" } },
    "nonsense",
    null,
    { digest: "md5:x" },
  ];
  const index = parseLayoutIndex(bytes({ schemaVersion: 2, "x-field": { y: 1 }, annotations: { z: "1" }, manifests: foreign }));
  const changed = removeName(putName(removeDigest(putUnnamed(putName(index, "one", b), b), image("d").digest), "two", b), "one");
  expect(changed["x-field"]).toEqual({ y: 1 });
  expect(changed["annotations"]).toEqual({ z: "1" });
  expect(changed.manifests.slice(0, foreign.length)).toEqual(foreign);
  expect(parseLayoutIndex(new TextEncoder().encode(formatLayoutIndex(changed)))).toEqual(changed);
});

test("what is no index is corrupt", () => {
  for (const value of [{}, { schemaVersion: 1 }, { schemaVersion: 2, manifests: {} }, []])
    expect(() => parseLayoutIndex(bytes(value))).toThrow();
  expect(parseLayoutIndex(bytes({ schemaVersion: 2, manifests: null })).manifests).toEqual([]);
});

test("the marker says which layout it is", () => {
  checkLayoutMarker(new TextEncoder().encode(layoutMarker));
  expect(() => checkLayoutMarker(bytes({ imageLayoutVersion: "2.0" }))).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  expect(() => checkLayoutMarker(bytes({}))).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
});
