import type { HistoryStep } from "@ramekin/engine";
import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { type Listing, listingLines, type Row } from "../format/listing.ts";
import { ago, ellipsis, humanSize, shortId } from "../format/units.ts";

export interface HistoryFlags {
  readonly format: string | undefined;
  readonly human: boolean;
  readonly "no-trunc": boolean;
  readonly platform: string | undefined;
  readonly quiet: boolean;
}

/** `ramekin history`. */
export async function showHistory(flags: HistoryFlags, name: string, context: Context): Promise<number> {
  const engine = await context.engine();
  const steps = await engine.history(name, flags.platform === undefined ? {} : { platform: parsePlatform(flags.platform) });
  const { human, "no-trunc": whole } = flags;
  const listing: Listing = {
    rows: steps.map((step) => historyRow(step, { human, whole })),
    columns: ["ID", human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"],
    headings: { ID: "IMAGE", CreatedSince: "CREATED", CreatedAt: "CREATED AT" },
    key: "ID",
  };
  for (const line of listingLines(listing, flags.format, flags.quiet)) context.print(line);
  return 0;
}

/** By the names of Docker's `history --format`. */
export function historyRow(
  { id, createdAt, createdBy, size, comment }: HistoryStep,
  { human, whole, now = new Date() }: { readonly human: boolean; readonly whole: boolean; readonly now?: Date },
): Row {
  const by = createdBy.replaceAll("\t", " ");
  return {
    ID: id === undefined ? "<missing>" : whole ? id : shortId(id),
    CreatedAt: createdAt === undefined ? "N/A" : createdAt.toISOString().replace(/\.\d+Z$/, "Z"),
    CreatedSince: createdAt === undefined ? "N/A" : ago(createdAt, now),
    CreatedBy: whole ? by : ellipsis(by, 45),
    Size: human ? humanSize(size) : String(size),
    Comment: comment,
  };
}
