import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ByteStream, type Cancellable, type Descriptor, type ImageSource, isRamekinError, RamekinError } from "@ramekin/core";
import { formatReference, type LayoutIndex, parseReference, putName, putUnnamed, refName, withRefName } from "@ramekin/oci";
import type { ImageInfo, LoadOptions } from "./api.ts";
import { collectByPolicy } from "./collect-by-policy.ts";
import { contentOf } from "./image.ts";
import { describeImage } from "./images.ts";
import { ingestImage } from "./ingest.ts";
import { attempt, type Scope } from "./scope.ts";
import { fileError } from "./store/files.ts";
import { changeImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";

/** containerd's annotation for the whole name, where `ref.name` is only a tag. */
const containerdName = "io.containerd.image.name";

/** See `Engine.load`. A location may also say what it is, as in containers-transports(5): `oci:dir`. */
export async function load(scope: Scope, source: string | ByteStream, options: LoadOptions = {}): Promise<readonly ImageInfo[]> {
  await scope.opened();
  if (typeof source !== "string") return loadStream(scope, source, options);
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);
  await using images = await openSource(scope, source, options);

  const roots = await images.roots(options);
  if (roots.length === 0) throw new RamekinError("NOT_FOUND", `${source} holds no image`);
  const loaded: { readonly descriptor: Descriptor; readonly name: string | undefined }[] = [];
  let moved = 0;
  for (const root of roots) {
    const name = nameOf(root);
    moved += await ingestImage(content, images, root, {
      name: name ?? root.digest,
      lease,
      ...(options.platform && { platform: options.platform, asked: options.platform }),
      signal: options.signal,
      onProgress: options.onProgress,
    });
    loaded.push({ descriptor: root, name });
  }
  await changeImages(
    scope.paths,
    (index) => loaded.reduce<LayoutIndex>((all, { descriptor, name }) => record(all, descriptor, name), index),
    options,
  );
  for (const { descriptor, name } of loaded) scope.emit("image", "load", descriptor.digest, name === undefined ? {} : { name });
  if (moved > 0) await collectByPolicy(scope);
  return Promise.all(loaded.map(({ descriptor, name }) => describeImage(scope, withRefName(descriptor, name), name, options)));
}

function record(index: LayoutIndex, descriptor: Descriptor, name: string | undefined): LayoutIndex {
  return name === undefined ? putUnnamed(index, descriptor) : putName(index, name, descriptor);
}

/** Canonical. A name that is none (other tools write what they like) leaves the image without one. */
function nameOf(root: Descriptor): string | undefined {
  const written = root.annotations?.[containerdName] ?? refName(root);
  if (written === undefined || written === "") return undefined;
  try {
    return formatReference(parseReference(written));
  } catch (error) {
    if (isRamekinError(error, "INVALID_ARGUMENT")) return undefined;
    throw error;
  }
}

async function openSource(scope: Scope, location: string, options: Cancellable): Promise<ImageSource> {
  const explicit = /^([a-z][a-z-]+):(.+)$/s.exec(location);
  if (explicit?.[1] && scope.kernel.registry.find("transport", explicit[1])) {
    return (await scope.kernel.use("transport", explicit[1])).source(explicit[2] as string, options);
  }
  const entry = await stat(location).catch((error: unknown) => {
    throw fileError(error, location);
  });
  return firstThatFits(scope, location, [entry.isDirectory() ? "oci" : "oci-archive", "docker-archive", "dir"], options);
}

/** Neither a file nor a folder says what it is; `docker save` writes one that is both. The layout goes first: it has digests. */
async function firstThatFits(scope: Scope, location: string, transports: readonly string[], options: Cancellable): Promise<ImageSource> {
  const refusals: RamekinError[] = [];
  for (const name of transports) {
    if (!scope.kernel.registry.find("transport", name)) continue;
    try {
      return await (await scope.kernel.use("transport", name)).source(location, options);
    } catch (error) {
      if (!isRamekinError(error) || error.code === "CANCELLED" || error.code === "PERMISSION_DENIED") throw error;
      refusals.push(error);
    }
  }
  throw new RamekinError("INVALID_ARGUMENT", `${location} is neither an OCI nor a docker archive`, {
    errors: refusals,
    hint: refusals.map(({ message }) => message).join("; "),
  });
}

/** A stream can be read once, and an archive's index may come last: it goes through a file. */
async function loadStream(scope: Scope, source: ByteStream, options: LoadOptions): Promise<readonly ImageInfo[]> {
  const directory = await mkdtemp(join(scope.paths.root, ".load-"));
  try {
    const path = join(directory, "archive");
    await pipeline(Readable.from(source), createWriteStream(path, { mode: 0o600 }), {
      ...(options.signal && { signal: options.signal }),
    }).catch((error: unknown) => {
      if (options.signal?.aborted) throw new RamekinError("CANCELLED", "loading was cancelled", { cause: error });
      throw fileError(error, path);
    });
    return await load(scope, path, options);
  } finally {
    await attempt(scope, `removing ${directory}`, () => rm(directory, { recursive: true, force: true }));
  }
}
