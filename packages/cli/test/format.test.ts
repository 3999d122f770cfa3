import { describe, expect, test } from "vitest";
import { parseFilters } from "../src/format/filters.ts";
import { type Listing, listingLines } from "../src/format/listing.ts";
import { table } from "../src/format/table.ts";
import { ellipsis, humanDuration, humanMemory, humanSize, longTime, shortId } from "../src/format/units.ts";
import { layerState } from "../src/progress/layer-lines.ts";
import { rateMeter } from "../src/progress/rate-meter.ts";
import { digest } from "./samples.ts";

test("sizes have three digits and powers of 1000, memory four and 1024", () => {
  expect([0, 999, 1000, 13_256, 48_500_000, 123_456_789, 999_950, 1.5e12].map(humanSize)).toEqual([
    "0B",
    "999B",
    "1kB",
    "13.3kB",
    "48.5MB",
    "123MB",
    "1MB",
    "1.5TB",
  ]);
  expect([512, 64 * 2 ** 20, 25_139_200_000].map(humanMemory)).toEqual(["512B", "64MiB", "23.41GiB"]);
});

test("durations in Docker's words", () => {
  const s = 1000;
  const h = 3600 * s;
  const d = 24 * h;
  const cases: [number, string][] = [
    [400, "Less than a second"],
    [s, "1 second"],
    [59 * s, "59 seconds"],
    [60 * s, "About a minute"],
    [119 * s, "About a minute"],
    [120 * s, "2 minutes"],
    [59 * 60 * s, "About an hour"],
    [90 * 60 * s, "2 hours"],
    [47 * h, "47 hours"],
    [2 * d, "2 days"],
    [13 * d, "13 days"],
    [14 * d, "2 weeks"],
    [59 * d, "8 weeks"],
    [60 * d, "2 months"],
    [729 * d, "24 months"],
    [730 * d, "2 years"],
  ];
  // 59 minutes are still minutes
  expect(cases.map(([time]) => humanDuration(time))).toEqual(cases.map(([time, text]) => (time === 59 * 60 * s ? "59 minutes" : text)));
});

test("ids, times and long texts", () => {
  expect(shortId(digest("a"))).toBe("aaaaaaaaaaaa");
  expect(longTime(new Date("2026-01-02T13:23:37.9Z"))).toBe("2026-01-02 13:23:37 +0000 UTC");
  expect([ellipsis("12345", 5), ellipsis("123456", 5)]).toEqual(["12345", "1234…"]);
});

test("columns are at least ten wide, three apart, the last as it is", () => {
  expect(
    table([
      ["ID", "IMAGE", "STATUS"],
      ["0123456789ab", "x", "Up 2 seconds"],
    ]),
  ).toEqual(["ID             IMAGE     STATUS", "0123456789ab   x         Up 2 seconds"]);
});

describe("listings", () => {
  const listing: Listing = {
    rows: [
      { ID: "1", Names: "a", Label: (name) => `l-${name}` },
      { ID: "2", Names: "bb", Label: () => "" },
    ],
    columns: ["ID", "Names"],
    headings: { ID: "CONTAINER ID" },
    key: "ID",
  };

  test("as a table, by default and by name", () => {
    const plain = ["CONTAINER ID   NAMES", "1              a", "2              bb"];
    expect(listingLines(listing, undefined, false)).toEqual(plain);
    expect(listingLines(listing, "table", false)).toEqual(plain);
  });

  test("as a table of one's own, with \\t as people type it", () => {
    expect(listingLines(listing, 'table {{.Names}}\\t{{.ID}}\\t{{.Label "x"}}', false)).toEqual([
      "NAMES     CONTAINER ID   x",
      "a         1              l-x",
      "bb        2              ",
    ]);
    expect(listingLines({ ...listing, rows: [] }, "table {{.Names}}\\t{{upper .ID}}", false)).toEqual(["NAMES     CONTAINER ID"]);
  });

  test("as lines, as JSON, as keys", () => {
    expect(listingLines(listing, "{{.ID}}={{.Names}}", false)).toEqual(["1=a", "2=bb"]);
    expect(listingLines(listing, "json", false)).toEqual(['{"ID":"1","Names":"a"}', '{"ID":"2","Names":"bb"}']);
    expect(listingLines(listing, "{{json .}}", false)[0]).toBe('{"ID":"1","Names":"a"}');
    expect(listingLines(listing, undefined, true)).toEqual(["1", "2"]);
  });

  test("a field that is not there is an error, not an empty cell", () => {
    expect(() => listingLines(listing, "{{.Nope}}", false)).toThrow("no field Nope");
  });
});

test("filters are alternatives of one key", () => {
  expect(parseFilters(["name=a", "name=b", "label=x=y"], ["name", "label"])).toEqual(
    new Map([
      ["name", ["a", "b"]],
      ["label", ["x=y"]],
    ]),
  );
  expect(() => parseFilters(["colour=red"], ["name"])).toThrow("invalid filter 'colour'");
  expect(() => parseFilters(["name"], ["name"])).toThrow("invalid filter 'name'");
});

test("a layer's line", () => {
  const layer = { digest: digest("d"), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", total: 50_000_000 };
  expect(layerState({ ...layer, status: "exists", current: 0 })).toBe("Already exists");
  expect(layerState({ ...layer, status: "downloading", current: 25_000_000 }, 120)).toBe(
    `Downloading [${"=".repeat(24)}>${" ".repeat(25)}]     25MB/50MB`,
  );
  const line = layerState({ ...layer, status: "downloading", current: 12_345_678 }, 80, 123_456_789);
  expect(line).toBe(`Downloading [====>${" ".repeat(18)}]   12.3MB/50MB  123MB/s`);
  // With an id of twelve digits before it, it has room in its terminal at the widest.
  expect(
    "0123456789ab: ".length + layerState({ ...layer, total: 123e6, status: "downloading", current: 99.9e6 }, 80, 99.9e6).length,
  ).toBeLessThan(80);
  expect(layerState({ ...layer, status: "downloading", current: 50_000_000 }, 80)).toContain(`[${"=".repeat(23)}]`);
});

test("a rate is that of the last seconds, and of what came only", () => {
  const meter = rateMeter();
  meter.add(40_000_000, 0); // was here before
  expect(meter.rate(100)).toBeUndefined();
  for (let second = 1; second <= 10; second++) meter.add(40_000_000 + second * 1_000_000, second * 1000);
  expect(meter.rate(10_000)).toBe(1_000_000);
  for (let second = 11; second <= 15; second++) meter.add(50_000_000 + (second - 10) * 3_000_000, second * 1000);
  expect(meter.rate(15_000)).toBe(3_000_000);
  expect(meter.rate(20_000)).toBe(0); // a line that is silent
  meter.add(5, 20_100);
  expect(meter.rate(20_200)).toBeUndefined(); // from the beginning
});
