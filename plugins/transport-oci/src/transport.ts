import {
  type ArchiveOptions,
  archiveFiles,
  folderFiles,
  layoutArchiveTarget,
  layoutSource,
  layoutTarget,
  splitLocation,
} from "@ramekin/archive";
import { type ImageTarget, RamekinError, type Transport } from "@ramekin/core";
import { type DigesterFor, withRefName } from "@ramekin/oci";

export type TransportOptions = Omit<ArchiveOptions, "signal"> & { readonly digester: DigesterFor };

/** `oci:DIRECTORY[:NAME]`: an OCI layout in a folder. A stream has no folder: see `layoutArchive`. */
export function layoutFolder({ digester }: TransportOptions): Transport {
  const refuse = () => new RamekinError("INVALID_ARGUMENT", "oci: needs a directory, not a stream", { hint: "use oci-archive" });
  return {
    source: async (location, { signal } = {}) => {
      if (typeof location !== "string") throw refuse();
      const { path, name } = await splitLocation(location);
      return layoutSource(await folderFiles(path), { name, signal });
    },
    target: async (location) => {
      if (typeof location !== "string") throw refuse();
      const { path, name } = await splitLocation(location);
      return named(await layoutTarget(path, { digester }), name);
    },
  };
}

/** `oci-archive:FILE[:NAME]`, or a stream: an OCI layout in a tar, compressed or not. */
export function layoutArchive({ digester, codec, directory }: TransportOptions): Transport {
  return {
    source: async (location, { signal } = {}) => {
      const { path, name } = typeof location === "string" ? await splitLocation(location) : { path: location };
      return layoutSource(await archiveFiles(path, { codec, directory, signal }), { name, signal });
    },
    target: async (location) => {
      const { path, name } = typeof location === "string" ? await splitLocation(location) : { path: location };
      return named(await layoutArchiveTarget(path, { digester }), name);
    },
  };
}

/** Gives the roots the name that the location asks for. */
function named(target: ImageTarget, name: string | undefined): ImageTarget {
  if (name === undefined) return target;
  return { ...target, root: (descriptor) => target.root(withRefName(descriptor, name)) };
}
