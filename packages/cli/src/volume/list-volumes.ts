import type { Volume } from "@ramekin/engine";
import { isOn } from "../argv/read-value.ts";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { listingLines, type Row } from "../format/listing.ts";

/** `ramekin volume ls`. */
export async function listVolumes(
  { filter, format, quiet }: { readonly filter: readonly string[]; readonly format: string | undefined; readonly quiet: boolean },
  context: Context,
): Promise<number> {
  const filters = parseFilters(filter, ["dangling", "driver", "label", "name"]);
  const dangling = (filters.get("dangling") ?? []).map(readOn).at(-1);
  const engine = await context.engine();
  const found = (await engine.volumes.list()).filter(
    (volume) =>
      (dangling === undefined || (volume.containers.length === 0) === dangling) &&
      (filters.get("driver") ?? [volume.driver]).includes(volume.driver) &&
      (filters.get("name") ?? [""]).some((part) => volume.name.includes(part)) &&
      matchesLabels(volume.labels, filters.get("label") ?? []),
  );
  const listing = { columns: ["Driver", "Name"], headings: { Name: "VOLUME NAME" }, key: "Name" };
  for (const line of listingLines({ ...listing, rows: found.map(volumeRow) }, format, quiet)) context.print(line);
  return 0;
}

function readOn(text: string): boolean {
  const value = isOn(text);
  if (value === undefined) throw new UsageError(`invalid filter 'dangling=${text}'`, { status: 1, hint: "true or false" });
  return value;
}

/** By the names of Docker's `volume ls --format`. */
export function volumeRow({ name, driver, labels, mountpoint, containers }: Volume): Row {
  return {
    Availability: "N/A",
    Driver: driver,
    Group: "N/A",
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Label: (key) => labels[key] ?? "",
    Links: String(containers.length),
    Mountpoint: mountpoint,
    Name: name,
    Scope: "local",
    Size: "N/A",
    Status: "N/A",
  };
}
