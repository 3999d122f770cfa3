import { expect, test } from "vitest";
import { familiarReference, formatReference, isLoopbackRegistry, parseReference } from "../src/index.ts";

const sha = `sha256:${"a1".repeat(32)}`;

test.for([
  ["debian", "docker.io/library/debian:latest", "debian:latest"],
  ["debian:12", "docker.io/library/debian:12", "debian:12"],
  ["me/app", "docker.io/me/app:latest", "me/app:latest"],
  ["docker.io/debian", "docker.io/library/debian:latest", "debian:latest"],
  ["index.docker.io/library/debian", "docker.io/library/debian:latest", "debian:latest"],
  ["library/debian", "docker.io/library/debian:latest", "debian:latest"],
  ["docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
  ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
  ["localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"],
  ["127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest", "127.0.0.1:5000/a/b/c:latest"],
  ["[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"],
  ["registry.example/a/b", "registry.example/a/b:latest", "registry.example/a/b:latest"],
  ["HOST/app", "HOST/app:latest", "HOST/app:latest"],
  ["host:5000", "docker.io/library/host:5000", "host:5000"],
  ["a__b/c-----d/e.f", "docker.io/a__b/c-----d/e.f:latest", "a__b/c-----d/e.f:latest"],
  [`debian@${sha}`, `docker.io/library/debian@${sha}`, `debian@${sha}`],
  [`debian:12@${sha}`, `docker.io/library/debian:12@${sha}`, `debian:12@${sha}`],
  [`app:${"t".repeat(128)}`, `docker.io/library/app:${"t".repeat(128)}`, `app:${"t".repeat(128)}`],
  ["docker.io/foo.bar/app", "docker.io/foo.bar/app:latest", "docker.io/foo.bar/app:latest"],
])("%s means %s", ([text, canonical, familiar]) => {
  const reference = parseReference(text!);
  expect(formatReference(reference)).toBe(canonical);
  expect(familiarReference(reference)).toBe(familiar);
  expect(parseReference(canonical!)).toEqual(reference);
  expect(parseReference(familiar!)).toEqual(reference);
});

test.for([
  ["", "empty"],
  ["Debian", "lower case"],
  ["registry.example/App", "lower case"],
  ["a//b", "not a repository"],
  ["/a", "not a repository"],
  ["a/", "not a repository"],
  ["a/../../b", "not a repository"],
  ["-a", "not a repository"],
  ["a_", "not a repository"],
  ["a___b", "not a repository"],
  ["a..b", "not a repository"],
  ["a:", "not a tag"],
  ["a:.b", "not a tag"],
  ["a:b:c", "not a tag"],
  [`a:${"t".repeat(129)}`, "not a tag"],
  ["a@b", "not a digest"],
  ["a@sha256:abc", "not 64"],
  [`a@sha256:${"A1".repeat(32)}`, "lower-case"],
  [`a@md5:${"a1".repeat(16)}`, "no algorithm md5"],
  ["a@sha256:../../etc/passwd", "not a digest"],
  [`a@${sha}@${sha}`, "not a digest"],
  ["a1".repeat(32), "an id"],
  ["https://registry.example/a", "a URL"],
  ["a b", "white space"],
  ["host_name:5000/a", "not a registry"],
  ["host:port/a", "not a registry"],
  ["x".repeat(260), "longer than 255"],
  ["a".repeat(100_000), "longer than 255"],
])("%s is refused: %s", ([text, why]) => {
  expect(() => parseReference(text!)).toThrow(expect.objectContaining({ message: expect.stringContaining(why!) }));
});

test("a name with capitals comes with the name to write", () => {
  expect(() => parseReference("My/App:V1")).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", hint: "write my/app:V1" }));
});

test("plain HTTP is for this machine", () => {
  expect(["localhost", "localhost:5000", "127.0.0.1:5000", "127.3.2.1", "[::1]:80"].filter(isLoopbackRegistry)).toHaveLength(5);
  expect(["localhost.example", "10.0.0.1", "127.0.0.1.example:80", "docker.io"].filter(isLoopbackRegistry)).toEqual([]);
});
