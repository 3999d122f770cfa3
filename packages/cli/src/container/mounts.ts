import { isAbsolute, resolve } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { BindMount, TmpfsMount } from "@ramekin/engine";
import { isOn } from "../argv/read-value.ts";
import { parseBytes } from "../values/bytes.ts";

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"] as const;
type Propagation = (typeof propagations)[number];

const isPropagation = (text: string): text is Propagation => (propagations as readonly string[]).includes(text);
const invalid = (message: string, hint?: string) => new RamekinError("INVALID_ARGUMENT", message, hint === undefined ? {} : { hint });

/**
 * `--volume SOURCE:TARGET[:OPTIONS]`, bind mounts only. A source that does not exist becomes a directory, as in Docker.
 * Relative sources must begin with a dot: a bare word is the name of a volume.
 */
export function parseVolume(text: string, workingDirectory: string): BindMount {
  const [source = "", target, options = "", ...rest] = text.split(":");
  if (rest.length > 0) throw invalid(`volume ${text} has too many parts`, "host-path:container-path[:options]");
  if (target === undefined) {
    throw new RamekinError("UNSUPPORTED", `${text} asks for an anonymous volume: this version has no volumes`, {
      hint: `--tmpfs ${text} for data that may go, --volume HOST-PATH:${text} for data that stays`,
    });
  }
  if (source === "") throw invalid(`volume ${text} has no source`, "host-path:container-path[:options]");
  if (!isAbsolute(source) && !/^\.\.?(\/|$)/.test(source)) {
    throw new RamekinError("UNSUPPORTED", `${source} names a volume: this version has none, only paths can be mounted`, {
      hint: `--volume ./${source}:${target} for the directory ${source} here`,
    });
  }
  return {
    type: "bind",
    source: resolve(workingDirectory, source),
    target: checkTarget(target, text),
    createSource: true,
    ...readVolumeOptions(options, text),
  };
}

function readVolumeOptions(options: string, whole: string): Pick<BindMount, "readOnly" | "propagation"> {
  let readOnly = false;
  let propagation: Propagation | undefined;
  for (const option of options === "" ? [] : options.split(",")) {
    if (option === "ro") readOnly = true;
    else if (isPropagation(option)) propagation = option;
    // rw is the default; the others are about SELinux labels and Docker Desktop's file sharing, and do nothing where there is neither
    else if (!["rw", "z", "Z", "cached", "consistent", "delegated"].includes(option))
      throw invalid(`volume ${whole} has an unknown option: ${option}`);
  }
  return { readOnly, ...(propagation !== undefined && { propagation }) };
}

/** `--tmpfs TARGET[:OPTIONS]`, options as in mount(8). */
export function parseTmpfs(text: string): TmpfsMount {
  const at = text.indexOf(":");
  const target = checkTarget(at < 0 ? text : text.slice(0, at), text);
  const options: string[] = [];
  let size: number | undefined;
  let mode: number | undefined;
  for (const option of at < 0 ? [] : text.slice(at + 1).split(",")) {
    if (option.startsWith("size=") && !option.endsWith("%")) size = readSize(option.slice("size=".length), text);
    else if (option.startsWith("mode=")) mode = readMode(option.slice("mode=".length), text);
    else if (option !== "") options.push(option);
  }
  return {
    type: "tmpfs",
    target,
    ...(size !== undefined && { size }),
    ...(mode !== undefined && { mode }),
    ...(options.length > 0 && { options }),
  };
}

/** The keys of `--mount`, with Docker's other spellings of them. */
const spellings: Readonly<Record<string, string>> = { src: "source", dst: "target", destination: "target", ro: "readonly" };
const bindKeys = ["source", "target", "readonly", "consistency", "bind-propagation", "bind-recursive", "bind-create-src"];
const tmpfsKeys = ["target", "readonly", "consistency", "tmpfs-size", "tmpfs-mode"];

/** `--mount type=bind,source=…,target=…`: unlike `--volume` it wants the source to exist. */
export function parseMount(text: string, workingDirectory: string): BindMount | TmpfsMount {
  const fields = readFields(text);
  const type = fields.get("type") ?? "volume";
  fields.delete("type");
  if (type === "volume") {
    throw new RamekinError("UNSUPPORTED", `mount ${text} asks for a volume: this version has none`, {
      hint: "type=bind for a path of the host, type=tmpfs for memory",
    });
  }
  if (type !== "bind" && type !== "tmpfs")
    throw new RamekinError("UNSUPPORTED", `mount ${text} has the type ${type}: this version has bind and tmpfs`);
  const known = type === "bind" ? bindKeys : tmpfsKeys;
  for (const key of fields.keys()) {
    if (!known.includes(key))
      throw invalid(`mount ${text} has a key that type=${type} does not know: ${key}`, `known are ${known.join(", ")}`);
  }
  const target = checkTarget(fields.get("target") ?? "", text);
  return type === "bind" ? bindMount(text, fields, target, workingDirectory) : tmpfsMount(text, fields, target);
}

function bindMount(text: string, fields: ReadonlyMap<string, string | undefined>, target: string, workingDirectory: string): BindMount {
  const source = fields.get("source");
  if (!source) throw invalid(`mount ${text} has no source`);
  const propagation = fields.get("bind-propagation");
  if (propagation !== undefined && !isPropagation(propagation)) {
    throw invalid(`mount ${text} has an unknown propagation: ${propagation}`, `known are ${propagations.join(", ")}`);
  }
  const recursive = fields.get("bind-recursive") ?? "enabled";
  if (!["enabled", "disabled", "writable", "readonly"].includes(recursive)) {
    throw invalid(`mount ${text} has an unknown value of bind-recursive: ${recursive}`, "known are enabled, disabled, writable, readonly");
  }
  const readOnly = readBoolean(fields, "readonly", text);
  if (recursive === "readonly" && !readOnly) throw invalid(`mount ${text}: bind-recursive=readonly needs readonly`);
  if (recursive === "writable" && !readOnly) throw invalid(`mount ${text}: bind-recursive=writable needs readonly`);
  return {
    type: "bind",
    source: resolve(workingDirectory, source),
    target,
    readOnly,
    createSource: readBoolean(fields, "bind-create-src", text),
    ...(propagation !== undefined && { propagation }),
    ...(recursive !== "enabled" && { recursive: recursive as NonNullable<BindMount["recursive"]> }),
  };
}

function tmpfsMount(text: string, fields: ReadonlyMap<string, string | undefined>, target: string): TmpfsMount {
  const size = fields.get("tmpfs-size");
  const mode = fields.get("tmpfs-mode");
  return {
    type: "tmpfs",
    target,
    ...(size !== undefined && { size: readSize(size, text) }),
    ...(mode !== undefined && { mode: readMode(mode, text) }),
    ...(readBoolean(fields, "readonly", text) && { options: ["ro"] }),
  };
}

/** Comma-separated, with the quotes of CSV around a field that holds a comma: `"source=/a,b"`. */
function readFields(text: string): Map<string, string | undefined> {
  const fields = new Map<string, string | undefined>();
  for (const [, quoted, bare] of text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    const field = quoted?.replaceAll('""', '"') ?? bare ?? "";
    if (field === "") throw invalid(`mount ${text} has an empty field`);
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    fields.set(spellings[key] ?? key, at < 0 ? undefined : field.slice(at + 1));
  }
  return fields;
}

/** A key alone means true. */
function readBoolean(fields: ReadonlyMap<string, string | undefined>, key: string, whole: string): boolean {
  if (!fields.has(key)) return false;
  const text = fields.get(key) ?? "true";
  const value = isOn(text);
  if (value === undefined) throw invalid(`mount ${whole}: ${key} is neither true nor false: ${text}`);
  return value;
}

function readSize(text: string, whole: string): number {
  const size = parseBytes(text);
  if (size === undefined) throw invalid(`${whole}: not a size: ${text}`);
  return size;
}

function readMode(text: string, whole: string): number {
  if (!/^[0-7]{1,5}$/.test(text)) throw invalid(`${whole}: not an octal mode: ${text}`);
  return Number.parseInt(text, 8);
}

function checkTarget(target: string, whole: string): string {
  if (target === "") throw invalid(`mount ${whole} has no target`);
  if (!isAbsolute(target)) throw invalid(`mount ${whole}: the target ${target} is not absolute`);
  if (/^\/+$/.test(target)) throw invalid(`mount ${whole}: the target is the root directory`);
  return target;
}
