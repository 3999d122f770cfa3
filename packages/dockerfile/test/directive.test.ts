import { expect, test } from "vitest";
import { foreignFrontend, parseDockerfile } from "../src/index.ts";

test.each<[string, string | undefined]>([
  ["FROM a", undefined],
  ["# syntax=docker/dockerfile:1\nFROM a", undefined],
  ["# syntax = docker.io/docker/dockerfile:1.26-labs@sha256:abc\nFROM a", undefined],
  ["#SYNTAX=docker/dockerfile\nFROM a", undefined],
  ["# escape=`\n# syntax=example.com:5000/front/end:1 --flag\nFROM a", "example.com:5000/front/end:1"],
  ["# syntax=docker/dockerfile-other:1\nFROM a", "docker/dockerfile-other:1"],
  ["\uFEFF#!/usr/bin/env build\n# syntax=other/front\nFROM a", "other/front"],
  ["// syntax=other/front\n{}", "other/front"],
  ['{"syntax": "other/front", "x": 1}', "other/front"],
  ["# a comment\n# syntax=other/front\nFROM a", undefined],
  ["FROM a\n# syntax=other/front", undefined],
  ["\n# syntax=other/front\nFROM a", undefined],
])("[BLD-2] the frontend of %j is %s", (text, frontend) => {
  expect(foreignFrontend(text)).toBe(frontend);
});

test("[BLD-2] directives end with the first line that is none", () => {
  const of = (text: string) => Object.entries(parseDockerfile(text).directives).map(([name, { text: value }]) => `${name}=${value}`);
  expect(of("# syntax=a\n#escape = `\n# Check=skip=all\nFROM a")).toEqual(["syntax=a", "escape=`", "check=skip=all"]);
  expect(of("# unknown=a\n# escape=`\nFROM a")).toEqual([]);
  expect(of("\n# escape=`\nFROM a")).toEqual([]);
  expect(of("FROM a\n# escape=`")).toEqual([]);
});
