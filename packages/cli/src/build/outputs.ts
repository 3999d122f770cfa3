import { resolve } from "node:path";
import { type BuildAnnotation, type BuildOutput, type ImageForm, RamekinError } from "@ramekin/core";
import { parsePlatform } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { OutputStream } from "../context.ts";
import { refuseTerminal, streamTo } from "../image/save-images.ts";
import { KeyValues } from "./key-values.ts";

export interface OutputFlags {
  readonly output: readonly string[];
  readonly push: boolean;
  readonly load: boolean;
  readonly annotation: readonly string[];
}

const annotated = ["manifest", "index", "manifest-descriptor", "index-descriptor"] as const;

/** `--output`, `--push` and `--load`, as buildx and podman read them; without any, the result is an image in the store. */
export function outputsFrom(flags: OutputFlags, stdout: OutputStream): readonly BuildOutput[] {
  const annotations = flags.annotation.flatMap(annotationFrom);
  const outputs = flags.output.map((text) => outputFrom(text, annotations, stdout));
  const streams = outputs.filter((output) => "location" in output && typeof output.location !== "string");
  if (streams.length > 1) throw new UsageError("only one output can be written to stdout", { status: 1 });
  if (!flags.push && !flags.load) return outputs.length > 0 ? outputs : [{ type: "image", annotations }];
  const image = outputs.findIndex(({ type }) => type === "image");
  const own = { type: "image", annotations, ...(image >= 0 && outputs[image]), ...(flags.push && { push: true }) } as BuildOutput;
  return image >= 0 ? outputs.with(image, own) : [own, ...outputs];
}

/** The short forms: `-o DIRECTORY` is local, `-o -` is a tar on stdout. */
function outputFrom(text: string, annotations: readonly BuildAnnotation[], stdout: OutputStream): BuildOutput {
  if (text === "-") return { type: "tar", location: toStdout(stdout) };
  if (!text.includes("=")) return { type: "local", location: resolve(text) };
  const values = new KeyValues("output", text);
  const output = typed(values, annotations, stdout);
  values.finish();
  return output;
}

function typed(values: KeyValues, annotations: readonly BuildAnnotation[], stdout: OutputStream): BuildOutput {
  const type = values.choice("type", ["image", "registry", "docker", "oci", "local", "tar"]);
  if (type === undefined) throw values.wrong("type is required", "type=image,name=app");
  const destination = values.string("dest") ?? values.string("d");
  if (type === "local") {
    if (destination === undefined) throw values.wrong("dest is required for local output", "type=local,dest=DIRECTORY");
    const clear = values.choice("mode", ["copy", "delete"]) === "delete";
    return { type, location: resolve(destination), ...(clear && { clear }), ...splitting(values) };
  }
  const file = () => (destination === undefined || destination === "-" ? toStdout(stdout) : resolve(destination));
  if (type === "tar") return { type, location: file(), ...splitting(values) };
  const form = formFrom(values, annotations);
  if (type === "image" || type === "registry") {
    if (destination !== undefined) throw values.wrong(`dest is not for type=${type}`, "type=oci or type=docker write a file");
    refuseOthers(values);
    return pushable(values, form, type === "registry");
  }
  // Docker's daemon is ours: without a file the image goes where `docker load` would bring it.
  if (type === "docker" && destination === undefined) {
    values.string("context");
    return { type: "image", ...form };
  }
  const directory = values.boolean("tar") === false;
  if (!directory) return { type, location: file(), ...form };
  if (type === "docker")
    throw new RamekinError("UNSUPPORTED", "--output: type=docker is a tar", { hint: "type=oci,tar=false is a directory" });
  if (destination === undefined || destination === "-") throw values.wrong("dest is required with tar=false", "dest=DIRECTORY");
  return { type, location: resolve(destination), directory, ...form };
}

const splitting = (values: KeyValues) => {
  const split = values.boolean("platform-split");
  return split === undefined ? {} : { split };
};

function pushable(values: KeyValues, form: ImageForm, registry: boolean): BuildOutput {
  const push = values.boolean("push") ?? registry;
  const insecure = values.boolean("registry.insecure");
  // What these ask for is so here anyway.
  for (const [key, always] of [
    ["store", true],
    ["unpack", undefined],
  ] as const) {
    if (always !== undefined && values.boolean(key) === !always)
      throw new RamekinError("UNSUPPORTED", `--output: ${key}=false: what is built is in the store`, {
        hint: "type=oci writes a file instead",
      });
    values.boolean(key);
  }
  return { type: "image", ...form, ...(push && { push }), ...(insecure !== undefined && { insecure }) };
}

const unsupported: Readonly<Record<string, string>> = {
  "push-by-digest": "an image is pushed under its name",
  "name-canonical": "an image has no name with its digest beside the others",
  "dangling-name-prefix": "an image without a name has none",
  "prefer-nondist-layers": "layers keep their media type",
  "attestation-inline": "images are built without attestations",
  "attestation-prefix": "images are built without attestations",
};

function refuseOthers(values: KeyValues): void {
  for (const [key, reason] of Object.entries(unsupported)) {
    const text = values.string(key);
    if (text !== undefined && text !== "false")
      throw new RamekinError("UNSUPPORTED", `--output: ${key}: ${reason}`, { hint: "leave it out" });
  }
}

function formFrom(values: KeyValues, annotations: readonly BuildAnnotation[]): ImageForm {
  const names = values.string("name")?.split(",");
  const compression = compressionFrom(values);
  const oci = values.boolean("oci-mediatypes");
  const rewriteTimes = values.boolean("rewrite-timestamp");
  const own = annotationFields(values);
  return {
    annotations: [...annotations, ...own],
    ...(names && { names }),
    ...(compression && { compression }),
    ...(oci !== undefined && { mediaTypes: oci ? ("oci" as const) : ("docker" as const) }),
    ...(rewriteTimes !== undefined && { rewriteTimes }),
  };
}

function compressionFrom(values: KeyValues): ImageForm["compression"] {
  const format = values.choice("compression", ["gzip", "zstd", "uncompressed", "estargz"]);
  const level = values.integer("compression-level");
  const force = values.boolean("force-compression");
  if (format === "estargz") {
    throw new RamekinError("UNSUPPORTED", "--output: compression=estargz: layers are plain tars, without an index of their own", {
      hint: "compression=gzip or compression=zstd",
    });
  }
  if (format === undefined && level === undefined && !force) return undefined;
  const highest = format === "zstd" ? 22 : 9;
  if (level !== undefined && (level < 0 || level > highest)) throw values.wrong(`compression-level=${level} is not from 0 to ${highest}`);
  return { format: format ?? "gzip", ...(level !== undefined && { level }), ...(force !== undefined && { force }) };
}

/** `annotation.KEY=`, `annotation-index.KEY=`, `annotation-manifest[linux/amd64].KEY=`. */
function annotationFields(values: KeyValues): readonly BuildAnnotation[] {
  return values.beginning("annotation").map(([rest, value]) => {
    const [, on = "manifest", platform, key] = /^(?:-([a-z-]+))?(?:\[([^\]]+)\])?\.(.+)$/.exec(rest) ?? [];
    const place = annotated.find((each) => each === on);
    if (key === undefined || place === undefined) throw values.wrong(`unexpected key 'annotation${rest}'`);
    return { on: place, key, value, ...(platform !== undefined && { platform: parsePlatform(platform) }) };
  });
}

/** `KEY=VALUE`, or in front of it where: `index,manifest[linux/amd64]:KEY=VALUE`. */
function annotationFrom(text: string): readonly BuildAnnotation[] {
  const [, places, rest = text] =
    /^((?:manifest|index|manifest-descriptor|index-descriptor)(?:\[[^\]]*\])?(?:,(?:manifest|index|manifest-descriptor|index-descriptor)(?:\[[^\]]*\])?)*):(.*)$/s.exec(
      text,
    ) ?? [];
  const at = rest.indexOf("=");
  if (at <= 0) throw new UsageError(`--annotation: invalid annotation "${text}", expected key=value`, { status: 1 });
  const pair = { key: rest.slice(0, at), value: rest.slice(at + 1) };
  return (places ?? "manifest").split(/,(?![^[]*\])/).map((place) => {
    const [, on = "manifest", platform] = /^([a-z-]+)(?:\[(.*)\])?$/.exec(place) ?? [];
    return { on: on as BuildAnnotation["on"], ...pair, ...(platform ? { platform: parsePlatform(platform) } : {}) };
  });
}

function toStdout(stdout: OutputStream): WritableStream<Uint8Array> {
  refuseTerminal(undefined, stdout, "write a build's result");
  return streamTo(stdout);
}
