import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { BuildDescription, Ramekin } from "ramekin";
import { expect, test } from "vitest";
import { ramekin } from "./world.ts";

const text = "# VERSION which one\nARG VERSION=1\nFROM busybox as base\n";
const warning = {
  rule: "FromAsCasing",
  message: "'as' and 'FROM' keywords' casing do not match",
  description: "The 'as' keyword should match the case of the 'from' keyword, as in `<name>`",
  url: "https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
  file: "Dockerfile",
  lines: [3, 3],
  excerpt: "Dockerfile:3\n--------------------\n   3 | >>> FROM busybox as base\n--------------------",
} as const;

const described = (more: Partial<BuildDescription> = {}): Pick<Ramekin, "describeBuild"> => ({
  describeBuild: async () => ({
    file: "/ctx/Dockerfile",
    text,
    check: () => ({ warnings: [warning] }),
    outline: () => ({
      name: "base",
      description: "what all have",
      arguments: [
        { name: "VERSION", value: "1", description: "which one", lines: [2, 2] },
        { name: "X", lines: [4, 4] },
      ],
      secrets: [{ name: "npm", required: true, lines: [5, 6] }],
      ssh: [{ name: "default", required: false, lines: [7, 7] }],
    }),
    targets: () => [
      { name: "base", base: "busybox", platform: "linux/arm64", description: "what all have", default: false, lines: [3, 3] },
      { base: "scratch", default: true, lines: [8, 8] },
    ],
    ...more,
  }),
});

const build = (args: readonly string[], more?: Partial<BuildDescription>) => ramekin(["build", ...args, "."], { engine: described(more) });
const shown = async (...args: string[]) => (await build(args)).stdout.split("\n");

test("[build --check] what is found is told with its place; the status is 1 when something is", async () => {
  const { status, stdout } = await build(["--check"]);
  expect([status, stdout.split("\n")]).toEqual([
    1,
    [
      ...["Check complete, 1 warning has been found!", "", `WARNING: FromAsCasing - ${warning.url}`, warning.message],
      ...[...warning.excerpt.split("\n"), ""],
    ],
  ]);
  expect((await build(["--call=check,ignorestatus=true"])).status).toBe(0);
  expect(await build(["--check"], { check: () => ({ warnings: [] }) })).toMatchObject({
    status: 0,
    stdout: "Check complete, no warnings found.\n",
  });
  const place = { reason: "unknown instruction: RUNN", surroundings: "Dockerfile:2\n---" };
  const error = Object.assign(new RamekinError("INVALID_ARGUMENT", "Dockerfile:2:1: unknown"), place);
  const failed = await build(["--check"], { check: () => ({ warnings: [], error }) });
  expect(failed).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("unknown instruction: RUNN\nDockerfile:2\n---") });
  expect((await build(["--check"], { check: () => ({ warnings: [warning], error }) })).stdout).toMatch(/^Check complete, 1 .*\n\n$/s);
});

test("[build --call] check, outline and targets as documents", async () => {
  const document = async (call: string) => JSON.parse((await build([`--call=${call},format=json`])).stdout);
  const location = (first: number, last = first) => ({ ranges: [{ start: { line: first }, end: { line: last } }] });
  const data = Buffer.from(text).toString("base64");
  expect(await document("lint")).toEqual({
    warnings: [
      { ruleName: "FromAsCasing", description: warning.description, url: warning.url, detail: warning.message, location: location(3) },
    ],
    sources: [{ filename: "Dockerfile", data, language: "Dockerfile" }],
  });
  expect((await build(["--call=check,format=json"])).stdout).toContain("`\\u003cname\\u003e`"); // as Go writes it
  const none = await build(["--call=check,format=json"], { check: () => ({ warnings: [] }) });
  expect([none.status, JSON.parse(none.stdout)]).toEqual([0, { warnings: null, sources: null }]);
  const broken = await build(["--call=check,format=json"], {
    check: () => ({ warnings: [], error: new RamekinError("NOT_FOUND", "gone") }),
  });
  expect([broken.status, JSON.parse(broken.stdout).buildError]).toEqual([1, { message: "gone", location: {} }]);
  expect(await document("outline")).toEqual({
    name: "base",
    description: "what all have",
    args: [
      { name: "VERSION", value: "1", description: "which one", location: location(2) },
      { name: "X", location: location(4) },
    ],
    secrets: [{ name: "npm", required: true, location: location(5, 6) }],
    ssh: [{ name: "default", location: location(7) }],
    sources: [data],
  });
  expect(await document("targets")).toEqual({
    targets: [
      { name: "base", description: "what all have", base: "busybox", platform: "linux/arm64", location: location(3) },
      { default: true, base: "scratch", location: location(8) },
    ],
    sources: [data],
  });
});

test("[build --call] check, outline and targets in columns", async () => {
  expect(await shown("--call=targets")).toEqual(["TARGET    DESCRIPTION", "base      what all have", "(default) ", ""]);
  expect(await shown("--call=outline")).toEqual([
    ...["TARGET:      base", "DESCRIPTION: what all have", ""],
    ...["BUILD ARG   VALUE   DESCRIPTION", "VERSION     1       which one", "X                   ", ""],
    ...["SECRET   REQUIRED", "npm      true", "", "SSH       REQUIRED", "default   ", "", ""],
  ]);
  expect((await shown("--call=subrequests.describe"))[1]).toBe(
    "outline              1.0.0   List all parameters current build target supports",
  );
  for (const [call, said] of [
    ["guess", "--call guess: not known"],
    ["check,outline", "two methods"],
    ["check,format=xml", "format=xml is not known"],
  ] as const)
    expect(await build([`--call=${call}`])).toMatchObject({ status: 125, stderr: expect.stringContaining(said) });
});

test("[build --call] without an engine's double: a Dockerfile as it is read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-call-"));
  try {
    await writeFile(join(folder, "Dockerfile"), "FROM scratch\nENV a b\n");
    const { createRamekin } = await import("ramekin");
    await using engine = await createRamekin({ root: join(folder, "root"), runRoot: join(folder, "run") });
    const description = await engine.describeBuild({ context: folder });
    expect(description.check().warnings).toMatchObject([{ rule: "LegacyKeyValueFormat", lines: [2, 2] }]);
    expect(description.targets()).toEqual([{ base: "scratch", default: true, lines: [1, 1] }]);
    expect(description.outline()).toMatchObject({ arguments: [], secrets: [] });
  } finally {
    await rm(folder, { recursive: true });
  }
});
