import { describe, expect, test } from "vitest";
import { parseBytes } from "../src/values/bytes.ts";
import { defaultDetachKeys, detachScanner, parseDetachKeys } from "../src/values/detach-keys.ts";
import { parseDuration } from "../src/values/duration.ts";
import { parseEnvironment, parseEnvironmentFile, parseLabels } from "../src/values/key-value.ts";
import { parseMoment } from "../src/values/moment.ts";
import { parseSignal } from "../src/values/signal.ts";

test("sizes are powers of 1024, whatever their spelling", () => {
  expect(["512", "64m", "64M", "64MB", "64MiB", "1.5g", "1 k", "0"].map(parseBytes)).toEqual([
    512,
    64 << 20,
    64 << 20,
    64 << 20,
    64 << 20,
    1.5 * 2 ** 30,
    1024,
    0,
  ]);
  expect(["", "-1", "m", "1x", "1.m", "9999999p"].map(parseBytes)).toEqual(Array(6).fill(undefined));
});

test("durations as Go writes them", () => {
  expect(["42m", "1h30m", "2.5s", "100ms", "0", "-1m"].map(parseDuration)).toEqual([2_520_000, 5_400_000, 2500, 100, 0, -60_000]);
  expect(["", "5", "m", "1d", "1h 30m"].map(parseDuration)).toEqual(Array(5).fill(undefined));
});

test("moments: absolute, Unix, or back from now", () => {
  const now = new Date("2026-01-02T12:00:00Z");
  expect(parseMoment("42m", now)).toEqual(new Date("2026-01-02T11:18:00Z"));
  expect(parseMoment("2026-01-02T13:23:37Z")).toEqual(new Date("2026-01-02T13:23:37Z"));
  expect(parseMoment("2026-01-02T13:23:37.5+02:00")).toEqual(new Date("2026-01-02T11:23:37.500Z"));
  expect(parseMoment("1136073845.5")).toEqual(new Date(1_136_073_845_500));
  expect(parseMoment("2026-01-02")).toEqual(new Date("2026-01-02T00:00:00"));
  expect(() => parseMoment("yesterday")).toThrow("no time that can be read: yesterday");
  expect(() => parseMoment("2026-13-40T00:00:00Z")).toThrow("no time");
});

test("signals by name and number", () => {
  expect(["TERM", "sigkill", "15", "HUP", "RTMIN+3", "37", "34"].map(parseSignal)).toEqual([
    "SIGTERM",
    "SIGKILL",
    "SIGTERM",
    "SIGHUP",
    "SIGRTMIN+3",
    "SIGRTMIN+3",
    "SIGRTMIN",
  ]);
  for (const wrong of ["", "NOPE", "99", "0", "RTMIN+40"]) expect(() => parseSignal(wrong)).toThrow(`no such signal: ${wrong}`);
});

describe("environment", () => {
  const caller = { HOME: "/home/me", EMPTY: "" };

  test("a name alone takes the caller's value, and nothing when there is none", () => {
    expect(parseEnvironment(["A=1", "HOME", "EMPTY", "ABSENT", "B=x=y", "A=2"], caller)).toEqual({
      A: "2",
      HOME: "/home/me",
      EMPTY: "",
      B: "x=y",
    });
    expect(() => parseEnvironment(["=1"], caller)).toThrow("without a name: =1");
  });

  test("a file is taken literally", () => {
    const text = '\uFEFF# comment\n\nA=1\r\n  B="quoted" # kept\nHOME\nC=\n';
    expect(parseEnvironmentFile(text, "x.env")).toEqual(["A=1", 'B="quoted" # kept', "HOME", "C="]);
    expect(() => parseEnvironmentFile("A=1\nmy name=2", "x.env")).toThrow('x.env:2: white space in the variable name "my name"');
    expect(() => parseEnvironmentFile("=2", "x.env")).toThrow("x.env:1: no variable name");
  });

  test("labels may have no value", () => {
    expect(parseLabels(["a=b=c", "d", "a=z"])).toEqual({ a: "z", d: "" });
    expect(() => parseLabels(["=x"])).toThrow("label without a key");
  });
});

describe("detach keys", () => {
  test("as Docker writes them", () => {
    expect([...parseDetachKeys(defaultDetachKeys)]).toEqual([16, 17]);
    expect([...parseDetachKeys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,ctrl-A,x")]).toEqual([0, 27, 28, 29, 30, 31, 1, 120]);
    for (const wrong of ["ctrl-", "ctrl-1", "ab", "", "ctrl-p,"]) expect(() => parseDetachKeys(wrong)).toThrow("not a key to detach with");
  });

  const scan = (...chunks: string[]) => {
    const scanner = detachScanner(parseDetachKeys("a,a,b"));
    const all = chunks.map((chunk) => scanner(Buffer.from(chunk)));
    return { text: all.map(({ forward }) => Buffer.from(forward).toString()).join(""), detached: all.some(({ detached }) => detached) };
  };

  test("are found across chunks, and nothing of them goes on", () => {
    expect(scan("xa", "a", "bz")).toEqual({ text: "x", detached: true });
  });

  test("a beginning that leads nowhere goes on whole", () => {
    expect(scan("a", "x")).toEqual({ text: "ax", detached: false });
    expect(scan("aax")).toEqual({ text: "aax", detached: false });
    expect(scan("a")).toEqual({ text: "", detached: false });
  });
});
