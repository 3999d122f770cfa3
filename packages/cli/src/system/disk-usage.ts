import type { BuildCacheEntry, ContainerUsage, DiskUsage, ImageUsage, VolumeUsage } from "@ramekin/engine";
import { familiarReference, familiarRepository, parseReference } from "@ramekin/oci";
import { describeStatus } from "../container/list-containers.ts";
import type { Context } from "../context.ts";
import { type Listing, listingLines, type Row } from "../format/listing.ts";
import { ago, ellipsis, humanSize, longTime, shortId } from "../format/units.ts";
import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";
import { volumeRow } from "../volume/list-volumes.ts";

/** `ramekin system df`. */
export async function showDiskUsage(
  { format, verbose }: { readonly format: string | undefined; readonly verbose: boolean },
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  const usage = await engine.diskUsage({ signal: context.interruption.signal });
  if (verbose) for (const line of verboseLines(usage, format)) context.print(line);
  else for (const line of listingLines({ ...summary, rows: summaryRows(usage) }, format, false)) context.print(line);
  return 0;
}

const summary: Omit<Listing, "rows"> = {
  columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
  headings: { TotalCount: "TOTAL" },
  key: "Type",
};

/** By the names of Docker's `system df --format`. */
function summaryRows({
  images,
  containers,
  volumes,
  imagesSize,
  imagesReclaimable,
  unfinished,
  garbage,
  buildCache,
  other,
}: DiskUsage): readonly Row[] {
  const unused = volumes.filter((volume) => volume.containers.length === 0);
  const idle = containers.filter((container) => !isActive(container));
  const rest = unfinished.size + garbage.size + other.size;
  const restCount = unfinished.count + garbage.blobs + garbage.snapshots + other.count;
  return [
    summaryRow("Images", images.length, images.filter((image) => image.containers.length > 0).length, imagesSize, imagesReclaimable),
    summaryRow("Containers", containers.length, containers.length - idle.length, sum(containers), sum(idle)),
    summaryRow("Local Volumes", volumes.length, volumes.length - unused.length, sum(volumes), sum(unused)),
    // Nothing of it is in use once a build is over.
    summaryRow("Build Cache", buildCache.entries.length, 0, buildCache.size, buildCache.size),
    ...(restCount > 0 ? [summaryRow("Leftovers", restCount, unfinished.count + other.count, rest, garbage.size)] : []),
  ];
}

const sum = (sized: readonly { readonly size: number }[]) => sized.reduce((total, { size }) => total + size, 0);
const isActive = ({ status }: ContainerUsage) => status === "running" || status === "paused";

function summaryRow(type: string, total: number, active: number, size: number, reclaimable: number): Row {
  const share = size > 0 ? ` (${Math.floor((reclaimable * 100) / size)}%)` : "";
  return {
    Active: String(active),
    Reclaimable: `${humanSize(reclaimable)}${share}`,
    Size: humanSize(size),
    TotalCount: String(total),
    Type: type,
  };
}

/** Sections as Docker's; with `json` or a template one document of them all. */
function verboseLines(usage: DiskUsage, format: string | undefined): readonly string[] {
  const inTable = format === undefined || format === "" || format === "table";
  const images = [...usage.images].sort(newestFirst).flatMap((image) => imageRows(image, inTable));
  const containers = usage.containers.map((container) => containerRow(container, inTable));
  const volumes = usage.volumes.map(volumeUsageRow);
  const cache = usage.buildCache.entries.map((entry) => cacheRow(entry, inTable));
  const document = { Images: images, Containers: containers, Volumes: volumes, BuildCache: cache };
  if (format === "json") return [json(document)];
  if (!inTable) return [compileTemplate(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"))(document)];
  return [
    "Images space usage:",
    "",
    ...listingLines({ ...imageListing, rows: images }, undefined, false),
    "",
    "Containers space usage:",
    "",
    ...listingLines({ ...containerListing, rows: containers }, undefined, false),
    "",
    "Local Volumes space usage:",
    "",
    ...listingLines(
      { columns: ["Name", "Links", "Size"], headings: { Name: "VOLUME NAME" }, key: "Name", rows: volumes },
      undefined,
      false,
    ),
    "",
    `Build cache usage: ${humanSize(usage.buildCache.size)}`,
    "",
    ...listingLines({ columns: cacheColumns, headings: { CacheID: "CACHE ID" }, key: "CacheID", rows: cache }, undefined, false),
    "",
    ...otherLines(usage),
  ];
}

const volumeUsageRow = (volume: VolumeUsage): Row => ({ ...volumeRow(volume), Size: humanSize(volume.size) });
const cacheRow = ({ id, type, size, createdAt, usedAt }: BuildCacheEntry, inTable: boolean): Row => ({
  CacheID: inTable ? shortId(id) : id,
  CacheType: type,
  Size: humanSize(size),
  Created: inTable ? ago(createdAt) : createdAt.toISOString(),
  LastUsed: inTable ? ago(usedAt) : usedAt.toISOString(),
  Usage: "",
  Shared: "false",
});
const cacheColumns = ["CacheID", "CacheType", "Size", "Created", "LastUsed", "Usage", "Shared"];
const newestFirst = (a: ImageUsage, b: ImageUsage) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0);

const imageListing: Omit<Listing, "rows"> = {
  columns: ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"],
  headings: { ID: "IMAGE ID", CreatedSince: "CREATED" },
  key: "ID",
};

/** One for each name, as in `ramekin images`. */
function imageRows({ id, names, createdAt, lastUsedAt, size, shared, unique, containers }: ImageUsage, short: boolean): readonly Row[] {
  return (names.length > 0 ? names : [undefined]).map((name) => {
    const reference = name === undefined ? undefined : parseReference(name);
    return {
      Containers: String(containers.length),
      CreatedAt: createdAt === undefined ? "N/A" : longTime(createdAt),
      CreatedSince: createdAt === undefined ? "N/A" : ago(createdAt),
      Digest: id,
      ID: short ? shortId(id) : id,
      LastUsedAt: lastUsedAt === undefined ? "N/A" : longTime(lastUsedAt),
      Repository: reference === undefined ? "<none>" : familiarRepository(reference),
      SharedSize: humanSize(shared),
      Size: humanSize(size),
      Tag: reference?.tag ?? "<none>",
      UniqueSize: humanSize(unique),
      VirtualSize: humanSize(size),
    };
  });
}

const containerListing: Omit<Listing, "rows"> = {
  columns: ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"],
  headings: { ID: "CONTAINER ID", RunningFor: "CREATED" },
  key: "ID",
};

function containerRow(container: ContainerUsage, short: boolean): Row {
  const { id, name, image, command, createdAt, size } = container;
  return {
    Command: JSON.stringify(ellipsis(command.join(" "), 20)),
    CreatedAt: longTime(createdAt),
    ID: short ? shortId(id) : id,
    Image: imageName(image),
    LocalVolumes: String(container.mounts.filter(({ type }) => type === "volume").length),
    Names: name,
    RunningFor: ago(createdAt),
    Size: humanSize(size),
    Status: describeStatus(container),
  };
}

/** As people write it; an image that was named by its id has no other name. */
function imageName(image: string): string {
  return /^(sha256:)?[0-9a-f]{64}$/.test(image) ? shortId(image) : familiarReference(parseReference(image)).replace(/:latest$/, "");
}

function otherLines({ unfinished, garbage, other }: DiskUsage): readonly string[] {
  const portions: readonly (readonly [string, number, number])[] = [
    ["unfinished downloads", unfinished.count, unfinished.size],
    ["blobs and snapshots that nothing refers to", garbage.blobs + garbage.snapshots, garbage.size],
    ["snapshots of mounted images", other.count, other.size],
  ];
  const found = portions.filter(([, count]) => count > 0);
  return found.length === 0 ? [] : ["Leftovers:", "", ...found.map(([what, count, size]) => `${count} ${what}: ${humanSize(size)}`), ""];
}
