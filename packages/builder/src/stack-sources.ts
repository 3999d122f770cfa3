import { hash } from "node:crypto";
import { posix } from "node:path";
import type { BuildFile, BuildFiles } from "@ramekin/core";
import { cleanPath, type TransferStep } from "@ramekin/dockerfile";
import { contentDigest } from "./content-digest.ts";
import { contextOf } from "./context.ts";
import { readListing, treeOf, unlinked } from "./listing.ts";
import { entriesOf } from "./passing.ts";
import type { Foreign, LocalSource, TransferSource } from "./source.ts";
import { hasWildcard } from "./tree.ts";
import type { TreeEntry } from "./tree-entry.ts";
import type { Workbench } from "./workbench.ts";

type Files = Pick<BuildFiles, "look" | "pack">;

/**
 * What `--from` takes of the layers of a stage or image; undefined when nothing fits. Whole files and directories go across unseen;
 * what is to be chosen from (wildcards, `--exclude`, `--parents`) or changed (`--chmod`) comes by as a tar.
 */
export async function stackSources(
  bench: Workbench,
  from: Foreign,
  step: TransferStep,
  text: string,
): Promise<readonly TransferSource[] | undefined> {
  const { parents, chmod, exclude } = step;
  const pivot = parents ? text.indexOf("/./") : -1;
  const base = cleanPath(`/${pivot < 0 ? "" : text.slice(0, pivot)}`);
  const wanted = cleanPath(`/${pivot < 0 ? text : text.slice(pivot + 3)}`).slice(1);
  if (!parents && !hasWildcard(wanted)) {
    const whole = await wholeSource(bench, from, `/${wanted}`);
    const asItIs = chmod === undefined && (exclude.length === 0 || whole?.kind !== "directory");
    return whole && (asItIs ? [whole] : [await passingSource(bench, from, whole, `/${wanted}`)]);
  }
  const parts = wanted.split("/");
  const first = parts.findIndex(hasWildcard);
  const fixed = first < 0 ? parts.slice(0, -1) : parts.slice(0, first);
  // Without links on the way, lest a name mean another place; `--parents` tells the directories on the way, too.
  const directory = parents ? base : posix.join("/", ...fixed);
  const pattern = parents ? wanted : parts.slice(fixed.length).join("/");
  return chosenSources(bench, from, directory, pattern, parents);
}

/** What is found out once about the files of a stage is remembered under what made them. */
async function noted<T>(bench: Workbench, from: Foreign, about: string, find: (files: Files) => Promise<T>): Promise<T> {
  const { session, signal } = bench;
  const name = `files-of-${hash("sha256", JSON.stringify([1, from.key, about]))}`;
  const known = await session.readNote(name);
  if (known !== undefined) return JSON.parse(known) as T;
  const found = await session.view(from.stack, find, { signal });
  await session.writeNote(name, JSON.stringify(found));
  return found;
}

async function wholeSource(bench: Workbench, from: Foreign, path: string): Promise<TransferSource | undefined> {
  const name = posix.basename(path);
  const { kind } = await noted(bench, from, `kind of ${path}`, async (files): Promise<{ readonly kind: BuildFile["kind"] | null }> => {
    if (path === "/") return { kind: "directory" };
    return { kind: (await files.look(path, { follow: true }))?.kind ?? null };
  });
  if (kind === null) return undefined;
  const digest = () =>
    noted(bench, from, `digest of ${path}`, (files) => contentDigest(entriesOf(packed(files, path, kind), bench.signal), bench));
  return { name, kind, from, path, digest };
}

const packed = (files: Files, path: string, kind: string) =>
  files.pack(path, { follow: true, ...(kind !== "directory" && { name: "file" }) });

/** One whose entries are looked at on their way. */
async function passingSource({ session, signal }: Workbench, from: Foreign, whole: TransferSource, path: string): Promise<LocalSource> {
  const { name, kind, digest } = whole;
  return {
    name,
    kind: kind === "other" ? "file" : kind,
    ...(digest && { digest }),
    entries: () => streamed((use) => session.view(from.stack, (files) => use(entriesOf(packed(files, path, kind), signal)), { signal })),
  };
}

async function chosenSources(
  bench: Workbench,
  from: Foreign,
  directory: string,
  pattern: string,
  parents: boolean,
): Promise<readonly TransferSource[] | undefined> {
  const { session, signal } = bench;
  const listing = await noted(bench, from, `list of ${directory}`, (files) => readListing(files, directory, bench));
  if (!listing) return undefined;
  const tree = treeOf(listing);
  const context = contextOf(tree);
  const whole = (name: string) => posix.join(directory, name);
  const pick = (entries: readonly TreeEntry[], names: ReadonlyMap<string, string>): LocalSource => ({
    name: "",
    kind: "directory",
    digest: () => contentDigest(renamed(entries, names), bench),
    entries: () =>
      streamed((use) =>
        session.view(
          from.stack,
          (files) => use(chosen(entriesOf(files.pack(directory, { follow: true }), signal), unlinked(listing, names))),
          { signal },
        ),
      ),
  });
  if (parents) {
    const found = await context.parents(pattern);
    const entries = found && (await Array.fromAsync(found));
    if (!entries) return hasWildcard(pattern) ? [] : undefined;
    return [pick(entries, new Map(entries.map(({ name }) => [name, name])))];
  }
  const sources: TransferSource[] = [];
  const loose = new Map<string, string>();
  const entries: TreeEntry[] = [];
  for (const entry of await tree.match(pattern)) {
    if (entry.kind === "link" || entry.kind === "directory") {
      // A link may lead out of this directory, and not out of the tree that it is in.
      const source = await wholeSource(bench, from, whole(entry.name));
      if (source) sources.push({ ...source, name: posix.basename(entry.name) });
    } else {
      entries.push(entry);
      loose.set(entry.name, posix.basename(entry.name));
    }
  }
  return loose.size > 0 ? [pick(entries, loose), ...sources] : sources;
}

async function* renamed(entries: readonly TreeEntry[], names: ReadonlyMap<string, string>): AsyncGenerator<TreeEntry> {
  for (const entry of entries) yield { ...entry, name: names.get(entry.name) ?? entry.name };
}

/** Of what comes by, what was chosen, under its new names. */
async function* chosen(entries: AsyncIterable<TreeEntry>, names: ReadonlyMap<string, readonly string[]>): AsyncGenerator<TreeEntry> {
  for await (const entry of entries) {
    const [first, ...more] = names.get(entry.name) ?? [];
    if (first === undefined || entry.kind === "hardlink") continue;
    yield { ...entry, name: first };
    for (const name of more) yield { ...entry, kind: "hardlink", name, target: first };
  }
}

/** Entries that come while something is open: it stays so until they have been read. */
async function* streamed(open: (use: (entries: AsyncIterable<TreeEntry>) => Promise<void>) => Promise<void>): AsyncGenerator<TreeEntry> {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<AsyncIterable<TreeEntry>>();
  const opened = open((entries) => {
    begun.resolve(entries);
    return ended.promise;
  });
  opened.catch(begun.reject);
  try {
    yield* await begun.promise;
  } finally {
    ended.resolve();
    await opened;
  }
}
