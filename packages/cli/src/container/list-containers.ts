import { machine } from "node:os";
import type { ContainerInfo } from "@ramekin/engine";
import { familiarReference, formatPlatform, parsePlatform, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { parseFilters } from "../format/filters.ts";
import { type Listing, listingLines, type Row } from "../format/listing.ts";
import { ago, ellipsis, humanDuration, humanSize, longTime, shortId } from "../format/units.ts";
import { containerFilters, filterContainers } from "./filter-containers.ts";

export interface ListFlags {
  readonly all: boolean;
  readonly filter: readonly string[];
  readonly format: string | undefined;
  readonly last: number;
  readonly latest: boolean;
  readonly noheading: boolean;
  readonly "no-trunc": boolean;
  readonly ns: boolean;
  readonly quiet: boolean;
  readonly size: boolean;
  readonly sort: string | undefined;
  readonly watch: number | undefined;
}

/** `ramekin ps`. */
export async function listContainers(flags: ListFlags, context: Context): Promise<number> {
  if (flags.watch === undefined) return await listOnce(flags, context);
  const { watchList } = await import("./watch-list.ts");
  return await watchList(flags.watch, context, () => listOnce(flags, context));
}

async function listOnce(flags: ListFlags, context: Context): Promise<number> {
  const filters = parseFilters(flags.filter, containerFilters);
  const engine = await context.engine();
  const last = flags.latest ? 1 : flags.last;
  // each of these asks about containers that do not run
  const everything = flags.all || last > 0 || filters.has("status") || filters.has("exited");
  const sized = flags.size || flags.sort === "size" || /\.Size\b/.test(flags.format ?? "");
  const compares = filters.has("before") || filters.has("since");
  const all = await engine.containers({ all: everything || compares, size: sized });
  const known = filters.has("expose") ? await (await import("./image-ports.ts")).withImagePorts(engine, all) : all;
  const found = filterContainers(known, filters).filter(
    ({ status }) => everything || status === "running" || status === "paused" || status === "restarting",
  );
  const shown = sorted(last > 0 ? found.slice(0, last) : found, flags.sort);
  const short = !flags["no-trunc"];
  const rows = shown.map((container) => containerRow(container, short));
  const columns = [...listing.columns, ...(flags.size ? ["Size"] : [])];
  const plain: Listing = { ...listing, columns, rows, bare: flags.noheading };
  const chosen = flags.ns ? await (await import("./namespace-listing.ts")).namespaceListing(shown, plain) : plain;
  for (const line of listingLines(chosen, flags.format, flags.quiet)) context.print(line);
  return 0;
}

/** As Podman sorts them; those that are the same, newest first. */
function sorted(containers: readonly ContainerInfo[], by: string | undefined): readonly ContainerInfo[] {
  const keys: Readonly<Record<string, (container: ContainerInfo) => string | number>> = {
    command: ({ command }) => command.join(" "),
    created: ({ createdAt }) => createdAt.getTime(),
    id: ({ id }) => id,
    image: ({ image }) => imageName(image, false),
    names: ({ name }) => name,
    runningfor: ({ startedAt }) => -(startedAt?.getTime() ?? 0),
    size: ({ sizes }) => sizes?.written ?? 0,
    status: ({ status }) => status,
  };
  const key = by === undefined ? undefined : keys[by];
  if (key === undefined) return containers;
  return [...containers].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const listing: Omit<Listing, "rows"> = {
  columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"],
  headings: { ID: "CONTAINER ID", CreatedAt: "CREATED AT", RunningFor: "CREATED", State: "STATE", LocalVolumes: "LOCAL VOLUMES" },
  key: "ID",
};

/** By the names of Docker's `ps --format`. */
export function containerRow(container: ContainerInfo, short: boolean, now = new Date()): Row {
  // A word with spaces in it has quotes: as Docker, and unlike a shell, only for those.
  const command = container.command.map((word) => (word.includes(" ") ? `'${word}'` : word)).join(" ");
  return {
    Command: JSON.stringify(short ? ellipsis(command, 20) : command),
    CreatedAt: longTime(container.createdAt),
    ID: short ? shortId(container.id) : container.id,
    Image: imageName(container.image, short),
    Annotation: (name) => container.annotations?.[name] ?? "",
    Labels: Object.entries(container.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Label: (name) => container.labels[name] ?? "",
    LocalVolumes: String(container.mounts.filter(({ type }) => type === "volume").length),
    Mounts: mountNames(container, short),
    Names: container.name,
    Networks: container.network,
    Platform: formatPlatform(parsePlatform(machine())),
    Ports: "",
    Size: container.sizes ? `${humanSize(container.sizes.written)} (virtual ${humanSize(container.sizes.total)})` : "",
    RunningFor: ago(container.createdAt, now),
    State: container.status,
    Status: describeStatus(container, now),
  };
}

/** Names of volumes, paths of binds. */
function mountNames({ mounts }: ContainerInfo, short: boolean): string {
  const names = mounts.filter(({ words }) => words === undefined).map(({ name, source }) => name ?? source);
  return names.map((name) => (short ? ellipsis(name, 15) : name)).join(",");
}

/** As people write it; an image that was named by its id has no other name. */
function imageName(image: string, short: boolean): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return short ? shortId(image) : image;
  if (image.startsWith("/")) return image; // a directory in the place of an image
  return familiarReference(parseReference(image)).replace(/:latest$/, "");
}

/** `Up 2 seconds`, `Exited (0) 3 minutes ago`. */
export function describeStatus({ status, startedAt, exit, health }: ContainerInfo, now = new Date()): string {
  const up = `Up ${humanDuration(now.getTime() - (startedAt ?? now).getTime())}`;
  switch (status) {
    case "created":
      return "Created";
    case "running":
      if (health === undefined) return up;
      return `${up} (${health === "starting" ? "health: starting" : health})`;
    case "paused":
      return `${up} (Paused)`;
    case "restarting":
      return `Restarting (${exit?.code ?? 0}) ${ago(exit?.exitedAt ?? now, now)}`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "exited":
      return `Exited (${exit?.code ?? 255}) ${ago(exit?.exitedAt ?? now, now)}`;
  }
}
