import type { ManifestDocument } from "@ramekin/engine";
import { isIndexType, isManifestType, mediaTypes } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { indentJSON } from "../format/indent-json.ts";
import { type AccessFlags, accessFrom } from "../registry/access.ts";

/** `ramekin manifest inspect`. One argument names a manifest, two a list that is here and a member of it. */
export async function inspectManifest(
  { verbose, ...flags }: AccessFlags & { readonly verbose: boolean },
  names: readonly string[],
  context: Context,
): Promise<number> {
  const [list, member] = names.length > 1 ? [names[0], names[1] as string] : [undefined, names[0] as string];
  const access = await accessFrom(flags, list ?? member, context);
  const engine = await context.engine();
  const found = await engine.inspectManifest(member, {
    access,
    members: verbose,
    signal: context.interruption.signal,
    ...(list !== undefined && { list }),
  });
  if (verbose) context.print(indentJSON(found.members ? `[${found.members.map(described)}]` : described(found), "\t"));
  // Docker's: three spaces for a list, which it writes so, a tab for the others, which it prints as they are.
  else context.print(indentJSON(textOf(found), isIndexType(found.descriptor.mediaType) ? "   " : "\t"));
  return 0;
}

const textOf = ({ bytes }: ManifestDocument) => new TextDecoder().decode(bytes);

/** In Docker's words; the manifest as it is written. */
function described(document: ManifestDocument): string {
  const { mediaType, digest, size, annotations, platform } = document.descriptor;
  const field = mediaType === mediaTypes.dockerManifest ? "SchemaV2Manifest" : isManifestType(mediaType) ? "OCIManifest" : undefined;
  const about = {
    Ref: document.reference,
    Descriptor: { mediaType, digest, size, ...(annotations && { annotations }), ...(platform && { platform: inOrder(platform) }) },
    Raw: Buffer.from(document.bytes).toString("base64"),
  };
  return `${JSON.stringify(about).slice(0, -1)}${field === undefined ? "" : `,"${field}":${textOf(document)}`}}`;
}

type Platform = NonNullable<ManifestDocument["descriptor"]["platform"]>;

function inOrder({ architecture, os, "os.version": version, "os.features": features, variant }: Platform): object {
  return {
    architecture,
    os,
    ...(version && { "os.version": version }),
    ...(features && features.length > 0 && { "os.features": features }),
    ...(variant && { variant }),
  };
}
