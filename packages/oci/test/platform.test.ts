import type { Descriptor, Platform } from "@ramekin/core";
import { expect, test } from "vitest";
import { choosePlatform, formatPlatform, parsePlatform, platformRank } from "../src/index.ts";

test.for([
  ["linux/amd64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/x86_64/v3", "linux/amd64/v3"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm64/v8.0", "linux/arm64"],
  ["linux/arm64/v9", "linux/arm64/v9"],
  ["linux/arm", "linux/arm"],
  ["linux/arm/7", "linux/arm"],
  ["linux/armel", "linux/arm/v6"],
  ["linux/armhf", "linux/arm"],
  ["Linux/I386", "linux/386"],
  ["macos/arm64", "darwin/arm64"],
  ["arm64", "linux/arm64"],
  ["s390x", "linux/s390x"],
])("%s is %s", ([text, shown]) => {
  expect(formatPlatform(parsePlatform(text!))).toBe(shown);
});

test.for(["", "/", "linux/", "nonsense", "linux/a/b/c", "linux/amd 64", "linux/../x"])("%j is no platform", (text) => {
  expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test("a processor runs its own kind best, then older ones, and no newer ones", () => {
  const rank = (wanted: string, offered: string) => platformRank(parsePlatform(wanted), parsePlatform(offered));
  const order = (wanted: string, ...offered: string[]) => {
    const ranks = offered.map((text) => rank(wanted, text));
    expect(ranks).not.toContain(undefined);
    expect([...ranks].sort((a, b) => a! - b!)).toEqual(ranks);
  };
  order("linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386");
  order("linux/arm64", "linux/arm64/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5");
  order("linux/arm64/v9", "linux/arm64/v9", "linux/arm64");
  expect(rank("linux/amd64", "linux/amd64/v2")).toBeUndefined();
  expect(rank("linux/arm/v6", "linux/arm/v7")).toBeUndefined();
  expect(rank("linux/386", "linux/amd64")).toBeUndefined();
  expect(rank("linux/amd64", "windows/amd64")).toBeUndefined();
  expect(rank("linux/amd64", "linux/arm64")).toBeUndefined();
  expect(rank("linux/riscv64", "linux/riscv64")).toBe(0);
});

const entry = (platform: Platform | undefined, letter: string): Descriptor => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${letter.repeat(64)}`,
  size: 1,
  ...(platform && { platform }),
});

test("the best of an index is chosen, whatever its place", () => {
  const index = [
    entry(parsePlatform("linux/386"), "a"),
    entry(parsePlatform("linux/arm/v7"), "b"),
    entry({ os: "linux", architecture: "amd64" }, "c"),
  ];
  expect(choosePlatform(index, parsePlatform("linux/amd64"))).toBe(index[2]);
  expect(choosePlatform(index, parsePlatform("linux/arm64"))).toBe(index[1]);
});

test("an index without a fitting platform says what it has, attestations aside", () => {
  const index = [
    entry(parsePlatform("linux/arm64/v8"), "a"),
    entry({ os: "unknown", architecture: "unknown" }, "b"),
    entry(parsePlatform("linux/s390x"), "c"),
  ];
  expect(() => choosePlatform(index, parsePlatform("linux/amd64"), "debian")).toThrow(
    expect.objectContaining({
      code: "NOT_FOUND",
      message: "debian has no image for linux/amd64",
      hint: "it has linux/arm64, linux/s390x; choose with --platform",
    }),
  );
});

test("the only entry without a platform is taken, two are not", () => {
  const silent = entry(undefined, "a");
  expect(choosePlatform([silent], parsePlatform("linux/amd64"))).toBe(silent);
  expect(() => choosePlatform([silent, entry(undefined, "b")], parsePlatform("linux/amd64"))).toThrow("no image");
});
