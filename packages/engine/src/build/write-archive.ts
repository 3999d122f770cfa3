import { type ArchiveOutput, type Cancellable, type Descriptor, type ImageTarget, RamekinError } from "@ramekin/core";
import { isIndexType, withRefName } from "@ramekin/oci";
import { blobsInOrder, gather } from "../outgoing.ts";
import { fileError } from "../store/files.ts";
import type { Session } from "./session.ts";

/** The image to a tar or an OCI layout, under all its names; nothing of it shows before it is whole. */
export async function writeArchive(
  { content, scope }: Session,
  root: Descriptor,
  names: readonly string[],
  { type, location, directory }: ArchiveOutput,
  options: Cancellable,
): Promise<void> {
  if (type === "docker" && isIndexType(root.mediaType)) {
    throw new RamekinError("UNSUPPORTED", "docker exporter does not support exporting manifest lists, use the oci exporter instead", {
      hint: "--output type=oci,dest=FILE",
    });
  }
  const transport = await scope.kernel.use("transport", directory ? "oci" : type === "docker" ? "dual-archive" : "oci-archive");
  const open = transport.target?.(location, options);
  if (!open) throw new RamekinError("UNSUPPORTED", `no transport writes ${type} archives`);
  await using target: ImageTarget = await open.catch((error: unknown) => {
    throw fileError(error, typeof location === "string" ? location : "the stream");
  });
  const outgoing = await gather(content, root, options);
  for (const blob of blobsInOrder(outgoing)) await target.blob(blob, content.read(blob.digest, options), options);
  for (const name of names.length > 0 ? names : [undefined]) await target.root(withRefName(root, name));
  await target.commit(options);
}
