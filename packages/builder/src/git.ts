import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { directoryTree } from "./directory-tree.ts";
import type { GitURL } from "./git-url.ts";
import type { Tree } from "./tree.ts";

/** A commit of a repository that was asked for by a name. */
export interface Commit {
  readonly hash: string;
  /** What to ask the server for. */
  readonly wanted: string;
}

export interface GitOptions extends Cancellable {
  /** For `http(s)` and one server, `https://host`: the value of a header `Authorization`. */
  readonly authorization?: { readonly origin: string; readonly value: string } | undefined;
}

/** Which commit a repository has under a name, now. */
export async function findCommit({ remote, ref = "HEAD", checksum }: GitURL, options: GitOptions): Promise<Commit> {
  const commit = await namedCommit(remote, ref, options);
  if (checksum !== undefined && !commit.hash.startsWith(checksum))
    throw new RamekinError("DATA_LOSS", `expected checksum to match ${checksum}, got ${commit.hash} of ${remote}`);
  return commit;
}

async function namedCommit(remote: string, ref: string, options: GitOptions): Promise<Commit> {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return { hash: ref, wanted: ref };
  const found = new Map<string, string>();
  for (const line of (await git(["ls-remote", "--", remote, ref, `${ref}^{}`], options)).split("\n")) {
    const [hash = "", name] = line.split("\t");
    if (name !== undefined) found.set(name, hash);
  }
  // As git itself looks for a name (gitrevisions(7)): an annotated tag stands for its commit.
  for (const name of [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`]) {
    const hash = found.get(`${name}^{}`) ?? found.get(name);
    if (hash !== undefined) return { hash, wanted: name };
  }
  if (/^[0-9a-f]{7,63}$/.test(ref)) return abbreviated(remote, ref, options);
  throw new RamekinError("NOT_FOUND", `the repository ${remote} has no ${ref}`);
}

/** Servers know whole names only: of all branches and tags, the commits, without what they hold where the server can leave that out. */
async function abbreviated(remote: string, ref: string, options: GitOptions): Promise<Commit> {
  const known = (await git(["ls-remote", "--", remote], options)).split("\n").flatMap((line) => line.split("\t")[0] ?? []);
  const fits = new Set(known.filter((hash) => hash.startsWith(ref)));
  const [hash, more] = fits;
  if (hash !== undefined && more === undefined) return { hash, wanted: hash };
  const hint = "name a branch or tag, or the whole commit";
  throw new RamekinError("NOT_FOUND", `the repository ${remote} has no branch or tag at ${ref}`, { hint });
}

/** The files of a commit, in `folder`, with submodules unless told otherwise. */
export async function checkOut(url: GitURL, { hash, wanted }: Commit, folder: string, options: GitOptions): Promise<Tree> {
  const inside = (...args: string[]) => git(["-C", folder, ...args], options);
  await git(["init", "--quiet", "--template=", "--", folder], options);
  await inside("remote", "add", "--", "origin", url.remote);
  await inside("fetch", "--quiet", "--depth=1", "--no-tags", "--", "origin", wanted).catch(async (error) => {
    // A server may refuse to serve a commit that no branch or tag is at: all of them, then.
    if (wanted !== hash) throw error;
    await inside("fetch", "--quiet", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*");
  });
  await inside("checkout", "--quiet", "--detach", hash, "--").catch((cause) => {
    throw new RamekinError("NOT_FOUND", `the repository ${url.remote} has no commit ${hash}`, { cause });
  });
  if (url.submodules !== false) await inside("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1");
  const mtime = Number(await inside("log", "-1", "--format=%ct"));
  if (!url.keepGitDir) await rm(join(folder, ".git"), { recursive: true });
  return directoryTree(folder, { git: { mtime }, ...(!url.keepGitDir && { hidden: [".git"] }) });
}

/**
 * Nothing of the repository's, and nothing of the user's configuration, is run: no hooks, no filters, no helpers, no prompts
 * (git-config(1), "protocol.allow" and "core.hooksPath"). What ssh asks is answered by its agent or not at all.
 */
const safe = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.symlinks": "true",
  "core.autocrlf": "false",
  "advice.detachedHead": "false",
  "credential.helper": "",
  "protocol.ext.allow": "never",
};

function environment({ authorization }: GitOptions): NodeJS.ProcessEnv {
  const passed = ["PATH", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"];
  const settings = Object.entries({
    ...safe,
    ...(authorization && { [`http.${authorization.origin}/.extraHeader`]: `Authorization: ${authorization.value}` }),
  });
  return {
    ...Object.fromEntries(
      [...passed, "SSL_CERT_FILE", "SSL_CERT_DIR"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    HOME: "/dev/null",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_SSH_COMMAND: process.env["GIT_SSH_COMMAND"] ?? "ssh -oBatchMode=yes",
    // Not as arguments, which every user of the machine can read.
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

function git(args: readonly string[], options: GitOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const how = { env: environment(options), maxBuffer: 64 << 20, ...(options.signal && { signal: options.signal }) };
    const child = execFile("git", [...args], how, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (options.signal?.aborted) return reject(new RamekinError("CANCELLED", "git was cancelled", { cause: error }));
      if (error.code === "ENOENT")
        return reject(
          new RamekinError("UNSUPPORTED", "there is no git here, which a repository takes", { cause: error, hint: "install git" }),
        );
      const last =
        stderr
          .trim()
          .split("\n")
          .findLast((line) => /^(?:fatal|error):/.test(line)) ??
        stderr.trim().split("\n").at(-1) ??
        "";
      const about = args.find((arg) => arg === "ls-remote" || arg === "fetch" || arg === "checkout" || arg === "submodule") ?? args[0];
      reject(new RamekinError("UNAVAILABLE", `git ${about}: ${last.replace(/^(?:fatal|error): /, "")}`, { cause: error }));
    });
    child.stdin?.end();
  });
}
