import { RamekinError } from "@ramekin/core";
import type { TransferStep } from "@ramekin/dockerfile";
import { contextOf, inside } from "./context.ts";
import { checkOut, findCommit, type GitOptions } from "./git.ts";
import { checkedChecksum, type GitURL, parseGitURL } from "./git-url.ts";
import { openRemote } from "./remote-file.ts";
import { authorizationFor } from "./server-secrets.ts";
import type { LocalSource } from "./source.ts";
import { resolveIn, type Tree } from "./tree.ts";
import type { Workbench } from "./workbench.ts";

/** ADD of an http address, under the last name of its path. It is unpacked only when that is asked for: else its bytes are not offered to be. */
export async function remoteFile(bench: Workbench, { checksum, unpack }: TransferStep, url: string): Promise<LocalSource> {
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  if (!name) throw new RamekinError("INVALID_ARGUMENT", `${url} names no file`, { hint: "write the name into the destination" });
  const remote = await openRemote(bench, url);
  const digest = `sha256:${remote.digest}`;
  if (checksum !== undefined && checksum !== "" && checksum !== digest)
    throw new RamekinError("DATA_LOSS", `digest mismatch ${digest}: ${checksum} was expected of ${url}`);
  const { mtime } = remote;
  const bytes = async function* () {
    yield* (await remote.content()).bytes();
  };
  return {
    name,
    kind: "file",
    // Unlike a context's, its time counts: it is the server's (BuildKit's rule).
    digest: async () => `${remote.digest} ${mtime}`,
    async *entries() {
      const { size, bytes: content } = await remote.content();
      yield { name, kind: "file", mode: 0o600, mtime, size, content };
    },
    ...(unpack && { bytes }),
  };
}

/** ADD of a repository: what is in it goes, as from a directory. It is fetched when the step has to be done. */
export async function repositorySource(bench: Workbench, step: TransferStep, text: string): Promise<LocalSource> {
  const { checksum, keepGitDir } = step;
  const asked = parseGitURL(text);
  const url: GitURL = {
    ...asked,
    ...(checksum !== undefined && checksum !== "" && { checksum: checkedChecksum(checksum) }),
    ...(keepGitDir && { keepGitDir }),
  };
  const options = gitOptions(bench, url);
  const commit = await findCommit(url, options);
  let tree: Promise<Tree> | undefined;
  return {
    name: "",
    kind: "directory",
    digest: async () => JSON.stringify(["git", url.remote, commit.hash, url.subdir, url.keepGitDir ?? false, url.submodules ?? true]),
    async *entries() {
      tree ??= bench.session.folder().then((folder) => checkOut(url, commit, folder, options));
      const files = await tree;
      yield* contextOf(files).walk(await directoryIn(files, url));
    },
  };
}

/** A repository, or a directory of it, as a context. */
export async function repositoryTree(bench: Workbench, text: string): Promise<Tree> {
  const url = { ...parseGitURL(text) };
  const options = gitOptions(bench, url);
  const tree = await checkOut(url, await findCommit(url, options), await bench.session.folder(), options);
  const top = await directoryIn(tree, url);
  return top === "" ? tree : treeBelow(tree, top);
}

function gitOptions({ secrets, signal }: Workbench, { remote }: GitURL): GitOptions {
  if (!/^https?:\/\//.test(remote)) return { signal };
  const value = authorizationFor(secrets, remote, "GIT_AUTH");
  return { signal, ...(value !== undefined && { authorization: { origin: new URL(remote).origin, value } }) };
}

/** Links in a repository lead nowhere out of it. */
async function directoryIn(tree: Tree, { remote, subdir = "" }: GitURL): Promise<string> {
  const found = await resolveIn(tree, inside(subdir));
  if (found?.kind !== "directory") throw new RamekinError("NOT_FOUND", `the repository ${remote} has no directory ${subdir}`);
  return found.name;
}

function treeBelow(tree: Tree, top: string): Tree {
  const cut = top.length + 1;
  const whole = (path: string) => (path === "" ? top : `${top}/${path}`);
  return {
    async look(path) {
      const found = await tree.look(whole(path));
      return found && { ...found, name: path };
    },
    list: async (path) => (await tree.list(whole(path))).map((entry) => ({ ...entry, name: entry.name.slice(cut) })),
  };
}
