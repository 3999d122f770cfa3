import { expect, test } from "vitest";
import { isGitURL, parseGitURL } from "../src/git-url.ts";

test("[BLD-7] [BLD-20] a repository is known by its form", () => {
  for (const text of [
    "git://host/repo",
    "ssh://git@host:22/repo",
    "git@host:path/repo",
    "deploy@host:repo.git#main",
    "https://host/repo.git",
    "https://host/repo.git?ref=main&subdir=a",
    "http://host:1/repo.git#v1:sub",
    "file:///srv/repo.git",
    "github.com/owner/repo",
  ])
    expect([text, isGitURL(text)]).toEqual([text, true]);
  for (const text of ["https://host/a.tar.gz", "https://host/?x=a.git", "./repo.git", "C:repo", "dir", "https://host/a#b.git"])
    expect([text, isGitURL(text)]).toEqual([text, false]);
});

test("[BLD-6] [BLD-20] ref and directory: behind #, or in a query", () => {
  expect(parseGitURL("https://host/r.git#v1:a/b")).toEqual({ remote: "https://host/r.git", ref: "v1", subdir: "a/b" });
  expect(parseGitURL("https://host/r.git#:a")).toEqual({ remote: "https://host/r.git", subdir: "a" });
  expect(parseGitURL("github.com/o/r")).toEqual({ remote: "https://github.com/o/r" });
  expect(parseGitURL("https://host/r.git?tag=v1&subdir=a&checksum=0123abc&keep-git-dir=1&submodules=false")).toEqual({
    remote: "https://host/r.git",
    ref: "refs/tags/v1",
    subdir: "a",
    checksum: "0123abc",
    keepGitDir: true,
    submodules: false,
  });
});

test("what git could take for an option, or is said twice, is refused", () => {
  for (const text of [
    "https://host/r.git#--upload-pack=x",
    "https://host/r.git#a..b",
    "https://host/r.git#a b",
    "https://host/r.git?ref=a&tag=b",
    "https://host/r.git?ref=a#b",
    "https://host/r.git?reff=a",
    "https://host/r.git?checksum=xyz",
    "https://host/r.git?submodules=maybe",
  ])
    expect(() => parseGitURL(text), text).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
