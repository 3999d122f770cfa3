import { familiarRepository, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { listingLines } from "../format/listing.ts";

/** `ramekin search`. */
export async function listTags(
  { format, limit }: { readonly format: string | undefined; readonly limit: number | undefined },
  repository: string,
  context: Context,
): Promise<number> {
  if (limit !== undefined && limit < 1) throw new UsageError(`--limit ${limit} shows nothing`);
  const reference = parseReference(repository);
  if (reference.digest !== undefined || /:[^/]*$/.test(repository)) {
    throw new UsageError(`${repository} names one image, not a repository`, { status: exitStatus.failure, hint: "leave the tag away" });
  }
  const engine = await context.engine();
  const tags = await engine.remoteTags(repository, { signal: context.interruption.signal });
  const name = familiarRepository(reference);
  const rows = tags.slice(0, limit).map((tag) => ({ Name: name, Tag: tag }));
  for (const line of listingLines({ rows, columns: ["Name", "Tag"], headings: {}, key: "Tag" }, format, false)) context.print(line);
  return exitStatus.ok;
}
