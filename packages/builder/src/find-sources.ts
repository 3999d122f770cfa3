import { createHash } from "node:crypto";
import { posix } from "node:path";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { cleanPath, IgnoreMatcher, type TransferStep } from "@ramekin/dockerfile";
import type { Context } from "./context.ts";
import { fetchFile } from "./fetch-file.ts";
import { notYet } from "./run-step.ts";
import { type Foreign, type LocalSource, looseFile, type TransferSource } from "./source.ts";
import type { Workbench } from "./workbench.ts";

/** What a COPY or ADD takes, in the order of its words. NOT_FOUND for one that fits nothing. */
export async function findSources(
  bench: Workbench,
  step: TransferStep,
  context: () => Promise<Context>,
  foreign: Foreign | undefined,
): Promise<readonly TransferSource[]> {
  if (step.parents) throw notYet("COPY --parents");
  if (foreign && (step.chmod !== undefined || step.exclude.length > 0)) throw notYet("COPY --from with --chmod or --exclude");
  const found = foreign
    ? await inStack(bench, foreign, step.sources)
    : (await Promise.all(step.sources.map((text) => one(bench, step, text, context)))).flat();
  const mtime = Math.floor(Date.now() / 1000);
  return [...found, ...step.files.map(({ name, content }) => looseFile(name, Buffer.from(content), { mode: 0o644, mtime }))];
}

async function one(bench: Workbench, step: TransferStep, text: string, context: () => Promise<Context>): Promise<readonly LocalSource[]> {
  if (step.type === "add" && /^https?:\/\//.test(text) && !/\.git(?:[#?]|$)/.test(text)) return [await fetched(bench, step, text)];
  if (step.type === "add" && /^git@|^(?:git|ssh):\/\/|\.git(?:[#?]|$)/.test(text)) throw notYet(`ADD from a git repository (${text})`);
  const tree = await context();
  const found = await tree.find(text);
  if (found.length === 0) throw absent(text, "is it in the build context, and not in .dockerignore?");
  const exclude = new IgnoreMatcher(step.exclude);
  return found.flatMap(({ path, kind }) => (path !== "" && exclude.ignores(path) ? [] : [inContext(tree, path, kind, exclude, bench)]));
}

function inContext(tree: Context, path: string, kind: LocalSource["kind"], exclude: IgnoreMatcher, { signal }: Cancellable): LocalSource {
  return {
    name: posix.basename(path),
    kind,
    async *entries() {
      for await (const entry of tree.walk(path)) {
        if (entry.name === "" || !exclude.ignores(path === "" ? entry.name : `${path}/${entry.name}`)) yield entry;
      }
    },
    ...(kind === "file" && {
      async *bytes() {
        for await (const entry of tree.walk(path)) if (entry.kind === "file") yield* entry.content({ signal });
      },
    }),
  };
}

/** What comes from elsewhere is unpacked only when that is asked for: its bytes are not offered to be. */
async function fetched({ signal }: Workbench, { checksum, unpack }: TransferStep, url: string): Promise<LocalSource> {
  const { name, bytes, mtime } = await fetchFile(url, { signal });
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (checksum !== undefined && checksum !== digest)
    throw new RamekinError("DATA_LOSS", `digest mismatch ${digest}: ${checksum} was expected of ${url}`);
  const source = looseFile(name, bytes, { mode: 0o600, mtime });
  async function* all() {
    yield bytes;
  }
  return unpack ? { ...source, bytes: all } : source;
}

function inStack({ session, signal }: Workbench, from: Foreign, texts: readonly string[]): Promise<readonly TransferSource[]> {
  const look = async (files: Parameters<Parameters<typeof session.view>[1]>[0]) => {
    const sources: TransferSource[] = [];
    for (const text of texts) {
      const path = cleanPath(`/${text}`);
      if (/[*?[]/.test(path)) throw notYet(`a wildcard in COPY --from (${text})`);
      const found = path === "/" ? { kind: "directory" as const } : await files.look(path, { follow: true });
      if (!found) throw absent(text);
      sources.push({ name: posix.basename(path), kind: found.kind, from, path });
    }
    return sources;
  };
  return session.view(from.stack, look, { signal });
}

/** BuildKit's words. */
function absent(text: string, hint?: string): RamekinError {
  const message = `failed to compute cache key: ${JSON.stringify(cleanPath(`/${text}`))}: not found`;
  return new RamekinError("NOT_FOUND", message, hint === undefined ? {} : { hint });
}
