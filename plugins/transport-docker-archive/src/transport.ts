import { type ArchiveOptions, archiveFiles, dockerSource, dockerTarget, splitLocation } from "@ramekin/archive";
import type { Transport } from "@ramekin/core";
import { type DigesterFor, formatReference, parseReference, withRefName } from "@ramekin/oci";

export type TransportOptions = Omit<ArchiveOptions, "signal"> & { readonly digester: DigesterFor };

/** `docker-archive:FILE[:NAME]`, or a stream: what `docker save` writes and `docker load` reads. */
export function dockerArchive({ digester, codec, directory }: TransportOptions): Transport {
  return {
    source: async (location, { signal } = {}) => {
      const { path, name } = typeof location === "string" ? await splitLocation(location) : { path: location };
      return dockerSource(await archiveFiles(path, { codec, directory, signal }), { digester, name, signal });
    },
    target: async (location) => {
      const { path, name } = typeof location === "string" ? await splitLocation(location) : { path: location };
      const target = await dockerTarget(path, { codec, directory, digester });
      if (name === undefined) return target;
      const canonical = formatReference(parseReference(name));
      return { ...target, root: (descriptor) => target.root(withRefName(descriptor, canonical)) };
    },
  };
}
