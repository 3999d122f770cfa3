import type { Secret } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { listingLines, type Row } from "../format/listing.ts";
import { ago } from "../format/units.ts";

/** `ramekin secret ls`. */
export async function listSecrets(
  { filter, format, quiet }: { readonly filter: readonly string[]; readonly format: string | undefined; readonly quiet: boolean },
  context: Context,
): Promise<number> {
  const filters = parseFilters(filter, ["id", "label", "name"]);
  const engine = await context.engine();
  const found = (await engine.secrets.list()).filter(
    ({ id, name, labels }) =>
      (filters.get("id") ?? [""]).some((part) => id.startsWith(part)) &&
      (filters.get("name") ?? [""]).some((part) => name.includes(part)) &&
      matchesLabels(labels, filters.get("label") ?? []),
  );
  const listing = {
    columns: ["ID", "Name", "Driver", "CreatedAt", "UpdatedAt"],
    headings: { CreatedAt: "CREATED", UpdatedAt: "UPDATED" },
    key: "ID",
  };
  for (const line of listingLines({ ...listing, rows: found.map((secret) => secretRow(secret)) }, format, quiet)) context.print(line);
  return 0;
}

function secretRow({ id, name, createdAt, updatedAt, labels }: Secret, now = new Date()): Row {
  return {
    ID: id,
    Name: name,
    Driver: "file",
    CreatedAt: ago(createdAt, now),
    UpdatedAt: ago(updatedAt, now),
    Label: (key) => labels[key] ?? "",
  };
}

/** In the shape of `podman secret inspect`; what it holds is nobody's to read here. */
export function describeSecret({ id, name, createdAt, updatedAt, labels }: Secret): object {
  return {
    ID: id,
    CreatedAt: createdAt.toISOString(),
    UpdatedAt: updatedAt.toISOString(),
    Spec: { Name: name, Driver: { Name: "file" }, Labels: labels },
  };
}
