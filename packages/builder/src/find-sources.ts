import { RamekinError } from "@ramekin/core";
import { cleanPath, IgnoreMatcher, type TransferStep } from "@ramekin/dockerfile";
import type { Context, Found } from "./context.ts";
import { isGitURL } from "./git-url.ts";
import { remoteFile, repositorySource } from "./remote-source.ts";
import { isForeign, isStack, type LocalSource, looseFile, type Supply, type TransferSource } from "./source.ts";
import { stackSources } from "./stack-sources.ts";
import { hasWildcard } from "./tree.ts";
import type { Workbench } from "./workbench.ts";

/** What a COPY or ADD takes, in the order of its words. NOT_FOUND for a path that nothing has. */
export async function findSources(
  bench: Workbench,
  step: TransferStep,
  context: () => Promise<Context>,
  from: Supply | undefined,
): Promise<readonly TransferSource[]> {
  const found = (await Promise.all(step.sources.map((text) => one(bench, step, text, context, from)))).flat();
  const mtime = Math.floor(Date.now() / 1000);
  return [...found, ...step.files.map(({ name, content }) => looseFile(name, Buffer.from(content), { mode: 0o644, mtime }))];
}

async function one(
  bench: Workbench,
  step: TransferStep,
  text: string,
  context: () => Promise<Context>,
  from: Supply | undefined,
): Promise<readonly TransferSource[]> {
  const exclude = new IgnoreMatcher(step.exclude);
  if (from && isStack(from)) {
    const found = await stackSources(bench, from, step, text);
    if (!found) throw absent(text);
    return found.flatMap((source): readonly TransferSource[] => (isForeign(source) ? [source] : excluding(source, exclude, text)));
  }
  if (!from && step.type === "add" && isGitURL(text)) return excluding(await repositorySource(bench, step, text), exclude, text);
  if (!from && step.type === "add" && /^https?:\/\//.test(text)) return [await remoteFile(bench, step, text)];
  const tree = from ?? (await context());
  const found = step.parents ? await withParents(tree, text) : (await tree.find(text)).map((each) => inContext(tree, each, bench));
  // A pattern may fit nothing, and nothing is done then: `COPY package.json yarn.lock* ./` (BuildKit's rule).
  if (found.length === 0 && !hasWildcard(text)) throw absent(text, "is it in the build context, and not in .dockerignore?");
  return found.flatMap((source) => excluding(source, exclude, text));
}

async function withParents(tree: Context, text: string): Promise<readonly LocalSource[]> {
  const entries = await tree.parents(text);
  return entries ? [{ name: "", kind: "directory", entries: () => entries }] : [];
}

export function inContext(tree: Context, { path, name, kind }: Found, { signal }: Pick<Workbench, "signal">): LocalSource {
  return {
    name,
    kind,
    entries: () => tree.walk(path),
    ...(kind === "file" && {
      async *bytes() {
        for await (const entry of tree.walk(path)) if (entry.kind === "file") yield* entry.content({ signal });
      },
    }),
  };
}

/** Patterns count from a directory that is copied; a file is known by its name, and one that was asked for by name is wanted (BuildKit's rule). */
function excluding(source: LocalSource, exclude: IgnoreMatcher, text: string): readonly LocalSource[] {
  if (exclude.patterns.length === 0) return [source];
  const digest = source.digest?.bind(source);
  const patterns = exclude.patterns.map(({ excepts, text }) => [excepts, text]);
  if (source.kind !== "directory") return hasWildcard(text) && exclude.ignores(source.name) ? [] : [source];
  return [
    {
      ...source,
      ...(digest && { digest: async () => `${await digest()} ${JSON.stringify(patterns)}` }),
      async *entries() {
        for await (const entry of source.entries()) if (entry.name === "" || !exclude.ignores(entry.name)) yield entry;
      },
    },
  ];
}

/** BuildKit's words. */
function absent(text: string, hint?: string): RamekinError {
  const message = `failed to compute cache key: ${JSON.stringify(cleanPath(`/${text}`))}: not found`;
  return new RamekinError("NOT_FOUND", message, hint === undefined ? {} : { hint });
}
