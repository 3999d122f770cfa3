import { RamekinError } from "@ramekin/core";
import type { Engine, ImageInfo } from "@ramekin/engine";
import { familiarReference, familiarRepository, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { type Listing, listingLines, type Row } from "../format/listing.ts";
import { ago, humanSize, longTime, shortId } from "../format/units.ts";
import { parseMoment } from "../values/moment.ts";

export interface ListFlags {
  readonly all: boolean;
  readonly digests: boolean;
  readonly filter: readonly string[];
  readonly format: string | undefined;
  readonly noheading: boolean;
  readonly "no-trunc": boolean;
  readonly quiet: boolean;
  readonly sort: string;
  readonly tree: boolean;
}

/** `ramekin images`. */
export async function listImages(flags: ListFlags, pattern: string | undefined, context: Context): Promise<number> {
  if (flags.tree) refuseWithTree(flags);
  const filters = parseFilters(flags.filter, ["before", "dangling", "label", "reference", "since", "until"]);
  const until = (filters.get("until") ?? []).map((text) => parseMoment(text).getTime());
  const engine = await context.engine();
  const all = [...(await engine.images())].sort(newestFirst).sort(orders[flags.sort] ?? newestFirst);
  const patterns = [...(filters.get("reference") ?? []), ...(pattern === undefined ? [] : [pattern])];
  const dangling = filters.get("dangling")?.at(-1);
  const labels = filters.get("label") ?? [];

  const found: ImageInfo[] = [];
  for (const image of all) {
    if (dangling !== undefined ? (image.name === undefined) !== isTrue(dangling) : image.name === undefined && !flags.all) continue;
    if (patterns.length > 0 && !patterns.some((each) => matchesReference(image, each))) continue;
    if (!(filters.get("before") ?? []).every((name) => created(image) < created(named(name, all)))) continue;
    if (!(filters.get("since") ?? []).every((name) => created(image) > created(named(name, all)))) continue;
    if (!until.every((time) => created(image) < time)) continue;
    if (labels.length > 0 && !matchesLabels(await labelsOf(engine, image), labels)) continue;
    found.push(image);
  }
  if (flags.tree) {
    const { treeLines } = await import("./image-tree.ts");
    for (const line of await treeLines(engine, found)) context.print(line);
    return 0;
  }
  let rows = found.map((image) => imageRow(image, !flags["no-trunc"]));
  // an image with two names is two rows, and one id
  if (flags.quiet && flags.format === undefined) rows = rows.filter(({ ID }, index) => rows.findIndex((row) => row.ID === ID) === index);
  const lines = listingLines({ ...listing, columns: columns(flags.digests), rows }, flags.format, flags.quiet);
  const headed = !(flags.quiet && flags.format === undefined) && /^table\b|^$/.test(flags.format ?? "");
  for (const line of flags.noheading && headed ? lines.slice(1) : lines) context.print(line);
  return 0;
}

/** Docker's words. */
function refuseWithTree(flags: ListFlags): void {
  const given = { quiet: flags.quiet, "no-trunc": flags["no-trunc"], digests: flags.digests, format: flags.format !== undefined };
  for (const [name, isGiven] of Object.entries(given)) {
    if (isGiven) throw new UsageError(`--${name} is not yet supported with --tree`, { status: 1 });
  }
}

const listing: Omit<Listing, "rows" | "columns"> = {
  headings: { ID: "IMAGE ID", CreatedSince: "CREATED", CreatedAt: "CREATED AT" },
  key: "ID",
};
const columns = (digests: boolean) => ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "CreatedSince", "Size"];

/** By the names of Docker's `images --format`. */
export function imageRow({ id, name, createdAt, size }: ImageInfo, short: boolean, now = new Date()): Row {
  const reference = name === undefined ? undefined : parseReference(name);
  return {
    Containers: "N/A",
    CreatedAt: createdAt === undefined ? "N/A" : longTime(createdAt),
    CreatedSince: createdAt === undefined ? "N/A" : ago(createdAt, now),
    Digest: id,
    ID: short ? shortId(id) : id,
    Repository: reference === undefined ? "<none>" : familiarRepository(reference),
    SharedSize: "N/A",
    Size: humanSize(size),
    Tag: reference?.tag ?? "<none>",
    UniqueSize: "N/A",
    // What Size was called before Docker 1.10; scripts may still ask.
    VirtualSize: humanSize(size),
  };
}

/** A shell pattern over the name as people write it, with or without the tag. */
function matchesReference({ name }: ImageInfo, pattern: string): boolean {
  if (name === undefined) return false;
  const reference = parseReference(name);
  const glob = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", "[^/]*")
      .replaceAll("?", "[^/]")}$`,
  );
  const spellings = [familiarReference(reference), familiarRepository(reference), name, name.replace(/:[^:/]*$/, "")];
  return spellings.some((spelling) => glob.test(spelling));
}

function named(name: string, all: readonly ImageInfo[]): ImageInfo {
  const found =
    all.find((image) => matchesReference(image, name)) ?? all.find(({ id }) => id.startsWith(name) || shortId(id).startsWith(name));
  if (found === undefined) throw new RamekinError("NOT_FOUND", `no such image: ${name}`);
  return found;
}

async function labelsOf(engine: Engine, { id }: ImageInfo): Promise<Readonly<Record<string, string>>> {
  const { config } = await engine.image(id);
  const run = config["config"] as { readonly Labels?: Readonly<Record<string, string>> | null } | undefined;
  return run?.Labels ?? {};
}

const created = ({ createdAt }: ImageInfo) => createdAt?.getTime() ?? 0;
const isTrue = (text: string) => text === "true" || text === "1";
/** Stable: what is equal stays as it was, the newest first. */
const orders: Readonly<Record<string, (a: ImageInfo, b: ImageInfo) => number>> = {
  id: (a, b) => compare(a.id, b.id),
  repository: (a, b) => compare(repositoryOf(a), repositoryOf(b)),
  size: (a, b) => a.size - b.size,
  tag: (a, b) => compare(tagOf(a), tagOf(b)),
};
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const repositoryOf = ({ name }: ImageInfo) => (name === undefined ? "<none>" : familiarRepository(parseReference(name)));
const tagOf = ({ name }: ImageInfo) => (name === undefined ? undefined : parseReference(name).tag) ?? "<none>";
const newestFirst = (a: ImageInfo, b: ImageInfo) => created(b) - created(a) || ((a.name ?? "") < (b.name ?? "") ? -1 : 1);
