import { expect, test } from "vitest";
import { parseChallenges } from "../src/challenge.ts";
import { retryAfter } from "../src/retry.ts";

test.each([
  [null, []],
  ["", []],
  ["Basic", [{ scheme: "basic", parameters: {} }]],
  ['Basic realm="a, b"', [{ scheme: "basic", parameters: { realm: "a, b" } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      {
        scheme: "bearer",
        parameters: { realm: "https://auth.example/token", service: "registry.example", scope: "repository:a/b:pull,push" },
      },
    ],
  ],
  [
    'BEARER Realm = "x\\"y" , error=invalid_token, Basic realm=z',
    [
      { scheme: "bearer", parameters: { realm: 'x"y', error: "invalid_token" } },
      { scheme: "basic", parameters: { realm: "z" } },
    ],
  ],
  ['Bearer realm="unfinished', [{ scheme: "bearer", parameters: {} }]],
])("challenges of %j", (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});

test.each([
  [null, undefined],
  ["7", 7000],
  [" 0 ", 0],
  ["Thu, 01 Jan 1970 00:01:00 GMT", 60_000],
  ["Wed, 31 Dec 1969 00:00:00 GMT", 0],
  ["soon", undefined],
])("Retry-After: %j", (header, expected) => {
  expect(retryAfter(header, 0)).toBe(expected);
});
