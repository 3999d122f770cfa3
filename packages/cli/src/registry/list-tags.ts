import { RamekinError } from "@ramekin/core";
import { familiarRepository, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { listingLines } from "../format/listing.ts";
import { type AccessFlags, accessFrom } from "./access.ts";

export interface SearchFlags extends AccessFlags {
  readonly format: string | undefined;
  readonly limit: number | undefined;
  readonly "list-tags": boolean;
  readonly "no-trunc": boolean;
}

/** `ramekin search`. */
export async function listTags({ format, limit, ...flags }: SearchFlags, repository: string, context: Context): Promise<number> {
  if (limit !== undefined && limit < 1) throw new UsageError(`--limit ${limit} shows nothing`);
  if (!flags["list-tags"]) {
    throw new RamekinError(
      "UNSUPPORTED",
      "--list-tags=false: searching for words is a service of Docker Hub's website, not of registries",
      {
        hint: "name a repository, and its tags are listed",
      },
    );
  }
  if (!flags["no-trunc"]) {
    throw new RamekinError("UNSUPPORTED", "--no-trunc=false: a tag that is cut short names nothing", { hint: "leave it away" });
  }
  const reference = parseReference(repository);
  if (reference.digest !== undefined || /:[^/]*$/.test(repository)) {
    throw new UsageError(`${repository} names one image, not a repository`, { status: exitStatus.failure, hint: "leave the tag away" });
  }
  const access = await accessFrom(flags, reference.registry, context);
  const engine = await context.engine();
  const tags = await engine.remoteTags(repository, { signal: context.interruption.signal, access });
  const name = familiarRepository(reference);
  const rows = tags.slice(0, limit).map((tag) => ({ Name: name, Tag: tag }));
  for (const line of listingLines({ rows, columns: ["Name", "Tag"], headings: {}, key: "Tag" }, format, false)) context.print(line);
  return exitStatus.ok;
}
