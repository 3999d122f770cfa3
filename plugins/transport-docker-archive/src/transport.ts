import { stat } from "node:fs/promises";
import {
  type ArchiveOptions,
  archiveFiles,
  dirSource,
  dirTarget,
  dockerSource,
  dockerTarget,
  dualSource,
  dualTarget,
  folderFiles,
  type ImageFiles,
  splitLocation,
} from "@ramekin/archive";
import { type ByteStream, type Cancellable, type ImageTarget, RamekinError, type Transport } from "@ramekin/core";
import { type DigesterFor, formatReference, normalizePlatform, parseReference, withRefName } from "@ramekin/oci";

export type TransportOptions = Omit<ArchiveOptions, "signal"> & { readonly digester: DigesterFor };

/** `docker-archive:FILE[:NAME]`, or a stream: what `docker save` writes and `docker load` reads; unpacked into a folder, too. */
export function dockerArchive(options: TransportOptions): Transport {
  const { digester, codec, directory } = options;
  return {
    source: (location, { signal } = {}) => dockerImages(options, location, { signal }),
    target: async (location) => {
      const { path, name } = await split(location);
      return named(await dockerTarget(path, { codec, directory, digester }), name);
    },
  };
}

/** `dual-archive:FILE[:NAME]`, or a stream: a docker archive that is an OCI layout as well, as Docker writes it since version 25. */
export function dualArchive(options: TransportOptions): Transport {
  const platform = normalizePlatform({ os: "linux", architecture: process.arch });
  return {
    source: async (location, { signal } = {}) => {
      const { path, name } = await split(location);
      return dualSource(await filesAt(path, options, { signal }), { name, signal });
    },
    target: async (location) => {
      const { path, name } = await split(location);
      return named(await dualTarget(path, { digester: options.digester, platform }), name);
    },
  };
}

/** `dir:DIRECTORY`: one image as containers/image lays it out; its files in a tar can be read, too. */
export function imageFolder(options: TransportOptions): Transport {
  return {
    source: async (location, { signal } = {}) =>
      dirSource(await filesAt(location, options, { signal }), { digester: options.digester, signal }),
    target: async (location) => {
      if (typeof location !== "string") {
        throw new RamekinError("INVALID_ARGUMENT", "dir: needs a directory, not a stream", { hint: "use docker-archive" });
      }
      return dirTarget(location, options);
    },
  };
}

async function dockerImages(options: TransportOptions, location: string | ByteStream, { signal }: Cancellable) {
  const { path, name } = await split(location);
  return dockerSource(await filesAt(path, options, { signal }), { digester: options.digester, name, signal });
}

async function filesAt(
  location: string | ByteStream,
  { codec, directory }: TransportOptions,
  { signal }: Cancellable,
): Promise<ImageFiles> {
  if (typeof location === "string" && (await isDirectory(location))) return folderFiles(location);
  return archiveFiles(location, { codec, directory, signal });
}

/** What is absent or out of reach is no directory: opening it as a file says so. */
async function isDirectory(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  return entry?.isDirectory() ?? false;
}

async function split<S>(location: string | S): Promise<{ readonly path: string | S; readonly name?: string }> {
  return typeof location === "string" ? splitLocation(location) : { path: location };
}

/** Gives the roots the name that the location asks for. */
function named(target: ImageTarget, name: string | undefined): ImageTarget {
  if (name === undefined) return target;
  const canonical = formatReference(parseReference(name));
  return { ...target, root: (descriptor) => target.root(withRefName(descriptor, canonical)) };
}
