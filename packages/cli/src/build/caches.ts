import { resolve } from "node:path";
import { type CacheSource, type CacheTarget, type Digest, RamekinError } from "@ramekin/core";
import { isDigest } from "@ramekin/oci";
import type { BuildOptions } from "ramekin";
import { KeyValues } from "./key-values.ts";

export interface CacheFlags {
  readonly "cache-from": readonly string[];
  readonly "cache-to": readonly string[];
  readonly "no-cache-filter": readonly string[];
}

export type CacheOptions = Pick<BuildOptions, "cacheFrom" | "cacheTo" | "inlineCache" | "noCacheFilter">;

const elsewhere = ["gha", "s3", "azblob"] as const;

/** `--cache-from` and `--cache-to`, as buildx reads them. */
export function cachesFrom(flags: CacheFlags): CacheOptions {
  const targets = flags["cache-to"].map(targetFrom);
  const filter = flags["no-cache-filter"].flatMap((text) => text.split(","));
  return {
    cacheFrom: flags["cache-from"].flatMap(sourceFrom),
    cacheTo: targets.filter((target) => target !== "inline"),
    ...(targets.includes("inline") && { inlineCache: true }),
    ...(filter.length > 0 && { noCacheFilter: filter }),
  };
}

/** A name alone is a registry's. */
function sourceFrom(text: string): readonly CacheSource[] {
  if (!text.includes("=")) return text.split(",").map((reference) => ({ type: "registry", reference }));
  const values = new KeyValues("cache-from", text);
  const source = typedSource(values);
  values.finish();
  return [source];
}

function typedSource(values: KeyValues): CacheSource {
  const type = kindOf(values);
  if (type === "registry") return { type, ...referenceIn(values) };
  if (type === "inline") throw values.wrong("type=inline is for --cache-to", "type=registry,ref=IMAGE reads an inline cache");
  const directory = values.string("src");
  if (directory === undefined) throw values.wrong("src is required for type=local", "type=local,src=DIRECTORY");
  const tag = values.string("tag");
  const digest = values.string("digest");
  if (digest !== undefined && !isDigest(digest)) throw values.wrong(`digest=${digest} is no digest`);
  return {
    type,
    directory: resolve(directory),
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest: digest as Digest }),
  };
}

function targetFrom(text: string): CacheTarget | "inline" {
  if (!text.includes("=") && text !== "inline") {
    return { type: "registry", reference: text, mode: "min" };
  }
  const values = new KeyValues("cache-to", text === "inline" ? "type=inline" : text);
  const target = typedTarget(values);
  values.finish();
  return target;
}

function typedTarget(values: KeyValues): CacheTarget | "inline" {
  const type = kindOf(values);
  const mounts = values.boolean("mounts");
  if (type === "inline") {
    // An image has no place for more: BuildKit leaves it at that, too.
    if (values.choice("mode", ["min", "max"]) === "max" || mounts)
      throw values.wrong("an inline cache has the layers of its image, and no others", "type=registry,ref=NAME,mode=max");
    return "inline";
  }
  const form = {
    mode: values.choice("mode", ["min", "max"]) ?? "min",
    ...formIn(values),
    ...(mounts !== undefined && { mounts }),
  } as const;
  if (type === "registry") return { type, ...referenceIn(values), ...form };
  const directory = values.string("dest");
  if (directory === undefined) throw values.wrong("dest is required for type=local", "type=local,dest=DIRECTORY");
  const tag = values.string("tag");
  return { type, directory: resolve(directory), ...(tag !== undefined && { tag }), ...form };
}

function kindOf(values: KeyValues): "registry" | "local" | "inline" {
  const type = values.choice("type", ["registry", "local", "inline", ...elsewhere]);
  if (type === undefined) throw values.wrong("type is required", "type=registry,ref=NAME or type=local");
  const absent = elsewhere.find((each) => each === type);
  if (absent !== undefined) {
    throw new RamekinError("UNSUPPORTED", `a build cache of type ${absent} is not supported`, {
      hint: "type=registry, or type=local and the CI system's own cache of directories",
    });
  }
  return type as "registry" | "local" | "inline";
}

function referenceIn(values: KeyValues): { readonly reference: string; readonly insecure?: boolean } {
  const reference = values.string("ref");
  if (reference === undefined) throw values.wrong("ref is required for type=registry", "type=registry,ref=NAME");
  const insecure = values.boolean("registry.insecure");
  return { reference, ...(insecure !== undefined && { insecure }) };
}

function formIn(values: KeyValues): Omit<CacheTarget, "type" | "mode"> {
  const oci = values.boolean("oci-mediatypes");
  const imageManifest = values.boolean("image-manifest");
  if (oci === false && imageManifest)
    throw values.wrong("image-manifest=true needs oci-mediatypes=true: there is no image manifest of Docker's kind for a cache");
  const format = values.choice("compression", ["gzip", "zstd", "uncompressed"]);
  const level = values.integer("compression-level");
  const force = values.boolean("force-compression");
  const ignoreError = values.boolean("ignore-error");
  return {
    ...(oci !== undefined && { mediaTypes: oci ? "oci" : "docker" }),
    ...(imageManifest !== undefined && { imageManifest }),
    ...(format && { compression: { format, ...(level !== undefined && { level }), ...(force !== undefined && { force }) } }),
    ...(ignoreError !== undefined && { ignoreError }),
  };
}
