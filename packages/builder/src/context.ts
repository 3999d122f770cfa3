import { RamekinError } from "@ramekin/core";
import { cleanPath, IgnoreMatcher } from "@ramekin/dockerfile";
import { hasWildcard, lastName, matchIn, parentOf, resolveIn, type Tree } from "./tree.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** Files that can be copied: a tree without what .dockerignore leaves out. */
export interface Context {
  readonly ignored: IgnoreMatcher;
  /** What a word of COPY means: a path, or a pattern with wildcards; links are followed. Empty when nothing fits. */
  find(pattern: string): Promise<readonly Found[]>;
  /** What is below, itself first as "", in the order of names. */
  walk(path: string): AsyncIterable<TreeEntry>;
  /** What `--parents` takes: of a pattern with all its directories, as far as `/./` goes in front of it. Undefined when nothing fits. */
  parents(pattern: string): Promise<AsyncIterable<TreeEntry> | undefined>;
}

export interface Found {
  readonly path: string;
  /** What it is called: of a link, the link's own name. */
  readonly name: string;
  readonly kind: TreeEntry["kind"];
}

export function contextOf(tree: Tree, ignored: IgnoreMatcher = new IgnoreMatcher([])): Context {
  return new TreeContext(tree, ignored);
}

class TreeContext implements Context {
  /** Without what is left out. */
  readonly #tree: Tree;
  readonly ignored: IgnoreMatcher;

  constructor(tree: Tree, ignored: IgnoreMatcher) {
    this.#tree = ignored.patterns.length === 0 ? tree : without(tree, ignored);
    this.ignored = ignored;
  }

  async find(pattern: string): Promise<readonly Found[]> {
    const wanted = inside(pattern);
    const exact = await resolveIn(this.#tree, wanted);
    if (exact) return [{ path: exact.name, name: lastName(wanted), kind: exact.kind }];
    if (!hasWildcard(wanted)) return [];
    const found: Found[] = [];
    for (const { name } of await matchIn(this.#tree, wanted)) {
      const entry = await resolveIn(this.#tree, name);
      if (entry) found.push({ path: entry.name, name: lastName(name), kind: entry.kind });
    }
    return found;
  }

  async *walk(path: string): AsyncGenerator<TreeEntry> {
    const first = await this.#tree.look(path);
    if (!first) return;
    yield { ...first, name: "" };
    if (first.kind !== "directory") return;
    const cut = path === "" ? 0 : path.length + 1;
    const all = below(this.#tree, path);
    const kept = this.ignored.hasExceptions ? withParents(all, ({ name }) => !this.ignored.ignores(name)) : all;
    if (cut === 0) yield* kept;
    else for await (const entry of kept) yield { ...entry, name: entry.name.slice(cut) };
  }

  async parents(pattern: string): Promise<AsyncIterable<TreeEntry> | undefined> {
    const pivot = pattern.indexOf("/./");
    const base = await resolveIn(this.#tree, inside(pivot < 0 ? "" : pattern.slice(0, pivot)));
    const wanted = inside(pivot < 0 ? pattern : pattern.slice(pivot + 3));
    if (base?.kind !== "directory") return undefined;
    const root = base.name;
    const whole = (path: string) => [root, path].filter((part) => part !== "").join("/");
    if (wanted !== "" && !hasWildcard(wanted) && !(await this.#tree.look(whole(wanted)))) return undefined;
    const matcher = new IgnoreMatcher(wanted === "" ? ["**"] : [wanted]);
    const cut = root === "" ? 0 : root.length + 1;
    const fixed = whole(fixedPart(wanted));
    const takes = ({ name }: TreeEntry) => matcher.ignores(name.slice(cut)) && !this.ignored.ignores(name);
    const tree = this.#tree;
    async function* found() {
      for await (const entry of withParents(below(tree, root, fixed), takes)) yield { ...entry, name: entry.name.slice(cut) };
    }
    return { [Symbol.asyncIterator]: found };
  }
}

/**
 * Depth first, by name; only what leads to `fixed`, or is below it. Without recursion: each generator that an entry passes through costs
 * a promise (of 50,000 files, a quarter of a build from the cache).
 */
async function* below(tree: Tree, path: string, fixed = path): AsyncGenerator<TreeEntry> {
  const pending = [(await tree.list(path))[Symbol.iterator]()];
  for (let at = pending.at(-1); at; at = pending.at(-1)) {
    const { done, value: entry } = at.next();
    if (done) {
      pending.pop();
      continue;
    }
    const { name } = entry;
    const toward = fixed === path || name === fixed || name.startsWith(`${fixed}/`) || fixed.startsWith(`${name}/`);
    if (!toward) continue;
    yield entry;
    if (entry.kind === "directory") pending.push((await tree.list(name))[Symbol.iterator]());
  }
}

/** What is taken, each after the directories that it is in; a directory that is not taken comes only for what is. */
async function* withParents(entries: AsyncIterable<TreeEntry>, takes: (entry: TreeEntry) => boolean): AsyncGenerator<TreeEntry> {
  const held: TreeEntry[] = [];
  for await (const entry of entries) {
    while (held.length > 0 && !entry.name.startsWith(`${held.at(-1)?.name}/`)) held.pop();
    if (takes(entry)) {
      yield* held.splice(0);
      yield entry;
    } else if (entry.kind === "directory") held.push(entry);
  }
}

/** The directories in front of the first wildcard, or the whole: nothing elsewhere can match. */
function fixedPart(pattern: string): string {
  const parts = pattern.split("/");
  const first = parts.findIndex(hasWildcard);
  return parts.slice(0, first < 0 ? parts.length : first).join("/");
}

/** A directory that is left out is there for what a later `!pattern` takes in again. */
function without(tree: Tree, ignored: IgnoreMatcher): Tree {
  const out = ({ name, kind }: TreeEntry) => name !== "" && ignored.ignores(name) && !(kind === "directory" && ignored.hasExceptions);
  return {
    async look(path) {
      for (let at = path; at !== ""; at = parentOf(at)) {
        const entry = await tree.look(at);
        if (!entry || out(entry)) return undefined;
      }
      return tree.look(path);
    },
    list: async (path) => (await tree.list(path)).filter((entry) => !out(entry)),
  };
}

/** `/x`, `./x` and `../x` are all `x`, as in Docker: the context is the root. */
export function inside(path: string): string {
  const clean = cleanPath(`/${path}`).slice(1);
  if (clean.includes("\0")) throw new RamekinError("INVALID_ARGUMENT", `${JSON.stringify(path)} is no path`);
  return clean === "." ? "" : clean;
}
