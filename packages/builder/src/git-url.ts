import { RamekinError } from "@ramekin/core";

/** A repository, as contexts and ADD name one. */
export interface GitURL {
  /** What git is given. */
  readonly remote: string;
  /** A branch, tag or commit; the default branch when absent. */
  readonly ref?: string;
  /** `.` when absent. */
  readonly subdir?: string;
  /** The commit, or its beginning, that `ref` must be. */
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  /** False: submodules stay empty. */
  readonly submodules?: boolean;
}

const scheme = /^(?:git|ssh):\/\/|^git@[\w.-]+:|^[\w.-]+@[\w.-]+:.*\.git(?:[#?]|$)/;

/** By its form alone: `git://`, `ssh://`, `git@host:path`, `github.com/…`, and `http(s)://` or `file://` with a path that ends in `.git`. */
export function isGitURL(text: string): boolean {
  return scheme.test(text) || /^github\.com\/[^/]+\/[^/#?]+/.test(text) || /^(?:https?|file):\/\/[^#?]+\.git(?:[#?]|$)/.test(text);
}

/** `REMOTE#REF:SUBDIR`, or BuildKit's query: `REMOTE?ref=…&subdir=…` (also tag, branch, checksum or commit, keep-git-dir, submodules). */
export function parseGitURL(text: string): GitURL {
  const hash = text.indexOf("#");
  const [, beforeQuery = "", query] = /^([^?]*)(?:\?(.*))?$/s.exec(hash < 0 ? text : text.slice(0, hash)) ?? [];
  const remote = beforeQuery.startsWith("github.com/") ? `https://${beforeQuery}` : beforeQuery;
  if (query !== undefined && hash >= 0)
    throw new RamekinError("INVALID_ARGUMENT", `${text}: a repository's ref is either in its query or behind #`, {
      hint: "?ref=REF&subdir=DIR",
    });
  if (query !== undefined) return { remote, ...fromQuery(text, query) };
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdir = colon < 0 ? "" : fragment.slice(colon + 1);
  return { remote, ...(ref !== "" && { ref: checkedRef(text, ref) }), ...(subdir !== "" && { subdir }) };
}

function fromQuery(text: string, query: string): Omit<GitURL, "remote"> {
  const found: { -readonly [Key in keyof GitURL]?: GitURL[Key] } = {};
  const refs: string[] = [];
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === "ref") refs.push(value);
    else if (key === "branch") refs.push(`refs/heads/${value}`);
    else if (key === "tag") refs.push(`refs/tags/${value}`);
    else if (key === "subdir") found.subdir = value;
    else if (key === "checksum" || key === "commit") found.checksum = checkedChecksum(value);
    else if (key === "keep-git-dir") found.keepGitDir = boolean(text, key, value);
    else if (key === "submodules") found.submodules = boolean(text, key, value);
    else
      throw new RamekinError("INVALID_ARGUMENT", `${text}: unexpected query ${JSON.stringify(key)}`, {
        hint: "ref, branch, tag, subdir, checksum, keep-git-dir, submodules",
      });
  }
  const [ref, more] = refs;
  if (more !== undefined) throw new RamekinError("INVALID_ARGUMENT", `${text}: one of ref, branch and tag can be given`);
  return { ...found, ...(ref !== undefined && { ref: checkedRef(text, ref) }) };
}

/** A commit, or the beginning of one. */
export function checkedChecksum(text: string): string {
  if (/^[0-9a-f]{7,64}$/.test(text)) return text;
  throw new RamekinError("INVALID_ARGUMENT", `invalid checksum ${text} for a repository: at least 7 hexadecimal digits of a commit`);
}

/** What git could take for an option, or for more than a name, is none. */
function checkedRef(text: string, ref: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused (git-check-ref-format(1))
  if (!/^[-./]|\.\.|@\{|[\x00-\x20\x7f~^:?*[\\]|\/$|\.lock$/.test(ref)) return ref;
  throw new RamekinError("INVALID_ARGUMENT", `${text}: ${JSON.stringify(ref)} is no name of a branch, tag or commit`);
}

function boolean(text: string, key: string, value: string): boolean {
  if (["", "1", "t", "true"].includes(value.toLowerCase())) return true;
  if (["0", "f", "false"].includes(value.toLowerCase())) return false;
  throw new RamekinError("INVALID_ARGUMENT", `${text}: invalid value for ${key}: ${value}`, { hint: "true or false" });
}
