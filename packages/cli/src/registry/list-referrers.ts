import type { Descriptor } from "@ramekin/core";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { listingLines, type Row } from "../format/listing.ts";
import { humanSize } from "../format/units.ts";
import { type AccessFlags, accessFrom } from "./access.ts";

export interface ReferrersFlags extends AccessFlags {
  readonly "artifact-type": string | undefined;
  readonly format: string | undefined;
  readonly quiet: boolean;
}

/** `ramekin referrers`. */
export async function listReferrers(
  { "artifact-type": artifactType, format, quiet, ...flags }: ReferrersFlags,
  name: string,
  context: Context,
): Promise<number> {
  const access = await accessFrom(flags, name, context);
  const engine = await context.engine();
  const found = await engine.referrers(name, {
    access,
    signal: context.interruption.signal,
    ...(artifactType !== undefined && { artifactType }),
  });
  const listing = { rows: found.map(referrerRow), columns: ["Digest", "ArtifactType", "Size"], headings: {}, key: "Digest" };
  for (const line of listingLines(listing, format, quiet)) context.print(line);
  return exitStatus.ok;
}

function referrerRow({ digest, mediaType, artifactType = "", size, annotations = {} }: Descriptor): Row {
  return {
    Annotation: (key) => annotations[key] ?? "",
    Annotations: Object.entries(annotations)
      .map((entry) => entry.join("="))
      .join(","),
    ArtifactType: artifactType,
    Digest: digest,
    MediaType: mediaType,
    Size: humanSize(size),
  };
}
