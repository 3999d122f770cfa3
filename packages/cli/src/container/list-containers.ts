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
  readonly "no-trunc": boolean;
  readonly quiet: boolean;
  readonly size: boolean;
}

/** `ramekin ps`. */
export async function listContainers(flags: ListFlags, context: Context): Promise<number> {
  const filters = parseFilters(flags.filter, containerFilters);
  const engine = await context.engine();
  const last = flags.latest ? 1 : flags.last;
  // each of these asks about containers that do not run
  const everything = flags.all || last > 0 || filters.has("status") || filters.has("exited");
  const sized = flags.size || /\.Size\b/.test(flags.format ?? "");
  const compares = filters.has("before") || filters.has("since");
  const all = await engine.containers({ all: everything || compares, size: sized });
  const found = filterContainers(all, filters).filter(
    ({ status }) => everything || status === "running" || status === "paused" || status === "restarting",
  );
  const rows = (last > 0 ? found.slice(0, last) : found).map((container) => containerRow(container, !flags["no-trunc"]));
  const columns = [...listing.columns, ...(flags.size ? ["Size"] : [])];
  for (const line of listingLines({ ...listing, columns, rows }, flags.format, flags.quiet)) context.print(line);
  return 0;
}

const listing: Omit<Listing, "rows"> = {
  columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"],
  headings: { ID: "CONTAINER ID", CreatedAt: "CREATED AT", RunningFor: "CREATED", State: "STATE", LocalVolumes: "LOCAL VOLUMES" },
  key: "ID",
};

/** By the names of Docker's `ps --format`. */
export function containerRow(container: ContainerInfo, short: boolean, now = new Date()): Row {
  const command = container.command.join(" ");
  return {
    Command: JSON.stringify(short ? ellipsis(command, 20) : command),
    CreatedAt: longTime(container.createdAt),
    ID: short ? shortId(container.id) : container.id,
    Image: imageName(container.image, short),
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
  const names = mounts.map(({ name, source, destination }) => name ?? (source || destination));
  return names.map((name) => (short ? ellipsis(name, 15) : name)).join(",");
}

/** As people write it; an image that was named by its id has no other name. */
function imageName(image: string, short: boolean): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return short ? shortId(image) : image;
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
