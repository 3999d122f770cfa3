import { expect, test } from "vitest";
import { parseDockerfile, resolveStages } from "../src/index.ts";
import { evaluate, resolve } from "./resolve.ts";

const neededOf = (text: string, given: Parameters<typeof resolve>[1] = {}) => resolve(text, given).graph.needed.map(({ name }) => name);

const stages = `FROM debian AS base
FROM base AS unused
RUN exit 1
FROM scratch AS files
COPY a /
FROM base AS mounted
FROM base AS build
COPY --from=files /a /
RUN --mount=from=mounted,target=/m true
FROM build
COPY --from=1 x y
FROM build AS Last
`;

test.each<[string | undefined, readonly string[]]>([
  [undefined, ["base", "files", "mounted", "build", "last"]],
  ["LAST", ["base", "files", "mounted", "build", "last"]],
  ["files", ["files"]],
  ["unused", ["base", "unused"]],
  ["base", ["base"]],
])("[BLD-7] what --target %s needs", (target, needed) => {
  expect(neededOf(stages, target === undefined ? {} : { target })).toEqual(needed);
});

test("[BLD-7] a number may be a stage without a name; all stages are needed for checks", () => {
  expect(neededOf("FROM a\nFROM b\nCOPY --from=0 x y\n")).toEqual(["stage-0", "stage-1"]);
  expect(neededOf(stages, { all: true })).toHaveLength(7);
});

test("[BLD-7] an unknown --target names those there are", () => {
  expect(() => resolve(stages, { target: "bild" })).toThrow(
    expect.objectContaining({ message: 'target stage "bild" could not be found', hint: "did you mean build?" }),
  );
});

test("[BLD-7] named contexts take the place of stages and images", () => {
  const text =
    "FROM debian AS base\nFROM base\nCOPY --from=tools a b\nCOPY --from=docker.io/library/alpine:latest a b\nCOPY --from=scratch x y\n";
  const { graph } = resolve(text, { contexts: ["base", "tools", "alpine", "scratch"] });
  const platform = { os: "linux", architecture: "amd64" };
  expect(graph.stages[0]?.base).toEqual({ kind: "context", name: "base", platform });
  const [, last] = graph.stages;
  expect([...(last?.origins.values() ?? [])].flat()).toEqual([
    { kind: "context", name: "tools", platform },
    { kind: "context", name: "alpine", platform },
    { kind: "scratch" },
  ]);
  expect(resolve("FROM debian", { contexts: ["debian"] }).graph.stages[0]?.base).toEqual({ kind: "context", name: "debian", platform });
});

test("[BLD-7] a stage hides an image of its name, for those below it", () => {
  const { graph } = resolve("FROM debian AS debian\nFROM debian\n");
  expect(graph.stages.map(({ base }) => base.kind)).toEqual(["image", "stage"]);
});

test("[BLD-7] images are asked for until nothing is missing, triggers included", () => {
  const platform = { os: "linux", architecture: "amd64" };
  const first = resolveStages(parseDockerfile("FROM trig\nFROM unneeded AS x\nFROM scratch AS y\nFROM 0 AS z\nCOPY --from=0 a b"), {
    platforms: { target: platform, build: platform },
  });
  expect(first.missing.map((origin) => origin.kind === "image" && origin.reference)).toEqual([
    "docker.io/library/trig:latest",
    "docker.io/library/0:latest",
  ]);
  const images = {
    trig: { ...platform, config: { OnBuild: ["COPY --from=more /a /b", "RUN x"] }, rootfs: { type: "layers" as const, diff_ids: [] } },
  };
  const { target } = evaluate("FROM debian AS more\nFROM trig\nRUN y", { images });
  expect(target.steps.map(({ title, triggered }) => [title, triggered])).toEqual([
    ["COPY --from=more /a /b", true],
    ["RUN x", true],
    ["RUN y", false],
  ]);
  expect(target.image.config?.OnBuild).toBeUndefined();
});

test("[BLD-7] a broken trigger is told with the image's text", () => {
  const images = {
    t: { os: "linux", architecture: "amd64", config: { OnBuild: ["RUNN x"] }, rootfs: { type: "layers" as const, diff_ids: [] } },
  };
  expect(() => resolve("FROM t", { images })).toThrow("ONBUILD of the base image:1:1: unknown instruction: RUNN");
});

test("[BLD-7] --platform of FROM", () => {
  const { graph } = resolve("FROM --platform=$BUILDPLATFORM a AS x\nFROM x\nFROM --platform=linux/arm64 b\n", {
    platforms: { target: { os: "linux", architecture: "arm64" }, build: { os: "linux", architecture: "amd64" } },
  });
  expect(graph.stages.map(({ platform }) => platform.architecture)).toEqual(["amd64", "amd64", "arm64"]);
  expect(() => resolve("FROM --platform=lin/ux/a/b/c a")).toThrow("failed to parse platform lin/ux/a/b/c");
});
