import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answer, probe } from "../src/probe.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ramekin-probe-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const context = () => ({ root: join(directory, "root"), runRoot: join(directory, "run"), signal: new AbortController().signal });
const nothing = { overlay: false, overlayUser: false, lowerdirPlus: false, reflink: false, xattrUser: false, reasons: {} };

test("a yes is remembered for the same user and device", async () => {
  expect(await probe(context())).toEqual({ ok: true, rank: 100 });
  const cache = join(directory, "run", "probe.json");
  const { subject } = JSON.parse(readFileSync(cache, "utf8"));
  writeFileSync(cache, JSON.stringify({ subject, support: { ok: true, rank: 1 } }));
  expect(await probe(context())).toEqual({ ok: true, rank: 1 });
  writeFileSync(cache, JSON.stringify({ subject: "another", support: { ok: true, rank: 1 } }));
  expect(await probe(context())).toEqual({ ok: true, rank: 100 });
  writeFileSync(cache, "{ torn");
  expect(await probe(context())).toEqual({ ok: true, rank: 100 });
});

test("a no says why and what to do", () => {
  expect(answer({ ...nothing, overlay: true }, true, "/r")).toEqual({ ok: true, rank: 100 });
  expect(answer({ ...nothing, overlay: true }, false, "/r")).toMatchObject({
    ok: false,
    reason: expect.stringContaining("user.* attributes"),
  });
  expect(answer({ ...nothing, xattrUser: true }, false, "/r")).toMatchObject({ ok: false, hint: expect.stringContaining("5.11") });
  expect(answer({ ...nothing, reasons: { overlay: "no such device" } }, true, "/r")).toMatchObject({
    ok: false,
    reason: "no overlay mount below /r: no such device",
    hint: expect.stringContaining("modprobe overlay"),
  });
});
