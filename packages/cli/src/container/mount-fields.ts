import { resolve } from "node:path";
import { Objections, RamekinError } from "@ramekin/core";
import type { BindMount, ContainerMount, DevptsMount, ImageViewMount, TmpfsMount, VolumeMount } from "@ramekin/engine";
import { isOn } from "../argv/read-value.ts";
import { checkTarget, invalid, readFields, readId, readMode, readSize } from "./mount-values.ts";

export const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"] as const;
type Propagation = (typeof propagations)[number];
export const isPropagation = (text: string): text is Propagation => (propagations as readonly string[]).includes(text);

/** Docker's and Podman's other spellings. */
const spellings: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  u: "chown",
  "volume-subpath": "subpath",
  "image-subpath": "subpath",
  readwrite: "rw",
};

const keys: Readonly<Record<string, readonly string[]>> = {
  bind: [
    ...["source", "readonly", "rw", "bind-propagation", "bind-recursive", "bind-nonrecursive", "bind-create-src", "chown", "idmap"],
    ...["relabel", "no-dereference"],
  ],
  volume: ["source", "readonly", "rw", "subpath", "volume-nocopy", "volume-label", "volume-driver", "volume-opt", "chown", "idmap"],
  tmpfs: ["readonly", "rw", "tmpfs-size", "tmpfs-mode", "tmpcopyup", "notmpcopyup", "noatime", "noexec", "nosuid", "nodev"],
  ramfs: ["readonly", "rw", "noexec", "nosuid", "nodev"],
  image: ["source", "subpath", "rw", "readonly"],
  devpts: ["uid", "gid", "mode", "max"],
};

/** `--mount type=…,source=…,target=…`: unlike `--volume` it wants a path to exist. All that is wrong with one is told. */
export function readMount(text: string, workingDirectory: string): ContainerMount {
  const objections = new Objections();
  const fields = new Map<string, (string | undefined)[]>();
  for (const [key, value] of readFields(text, "mount")) {
    const name = spellings[key.toLowerCase()] ?? key.toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const type = fields.get("type")?.at(-1) ?? "volume";
  const known = keys[type];
  if (known === undefined) {
    const windows = type === "npipe" || type === "cluster";
    throw windows
      ? new RamekinError("UNSUPPORTED", `mount ${text}: the type ${type} is for ${type === "npipe" ? "Windows" : "swarms"} only`)
      : invalid(`mount ${text} has an unknown type: ${type}`, `known are ${Object.keys(keys).join(", ")}, glob`);
  }
  for (const key of fields.keys()) {
    if (!["type", "target", "consistency", ...known].includes(key))
      objections.add(
        "INVALID_ARGUMENT",
        `mount ${text} has a key that type=${type} does not know: ${key}`,
        `known are ${known.join(", ")}`,
      );
  }
  const given = new Given(text, fields, objections);
  const target = objections.hear(() => checkTarget(given.text("target") ?? "", text)) ?? "/x";
  const mount = readers[type as keyof typeof readers](given, target, workingDirectory);
  objections.raise();
  return mount;
}

/** The fields of one mount. */
class Given {
  readonly whole: string;
  readonly #fields: ReadonlyMap<string, readonly (string | undefined)[]>;
  readonly objections: Objections;

  constructor(whole: string, fields: ReadonlyMap<string, readonly (string | undefined)[]>, objections: Objections) {
    this.whole = whole;
    this.#fields = fields;
    this.objections = objections;
  }

  text(key: string): string | undefined {
    return this.#fields.get(key)?.at(-1);
  }

  all(key: string): readonly string[] {
    return (this.#fields.get(key) ?? []).map((value) => value ?? "");
  }

  /** A key alone means true. */
  is(key: string): boolean {
    if (!this.#fields.has(key)) return false;
    const text = this.text(key) ?? "true";
    const value = isOn(text);
    if (value === undefined) this.object(`${key} is neither true nor false: ${text}`);
    return value ?? false;
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  read<T>(key: string, read: (text: string, whole: string) => T): T | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : this.objections.hear(() => read(text, `mount ${this.whole}`));
  }

  object(what: string, hint?: string): void {
    this.objections.add("INVALID_ARGUMENT", `mount ${this.whole}: ${what}`, hint);
  }
}

/** `readonly`, or Podman's `rw=false`. */
const isReadOnly = (given: Given) => given.is("readonly") || (given.has("rw") && !given.is("rw"));

const readers = {
  bind(given: Given, target: string, workingDirectory: string): BindMount {
    const source = given.text("source");
    if (!source) given.object("it has no source");
    const propagation = given.text("bind-propagation");
    if (propagation !== undefined && !isPropagation(propagation))
      given.object(`unknown propagation: ${propagation}`, `known are ${propagations.join(", ")}`);
    const recursive = given.text("bind-recursive") ?? (given.is("bind-nonrecursive") ? "disabled" : "enabled");
    if (!["enabled", "disabled", "writable", "readonly"].includes(recursive))
      given.object(`unknown value of bind-recursive: ${recursive}`, "known are enabled, disabled, writable, readonly");
    const readOnly = isReadOnly(given);
    if (["readonly", "writable"].includes(recursive) && !readOnly) given.object(`bind-recursive=${recursive} needs readonly`);
    // relabel is about SELinux; what a link of the source leads to is what is mounted, by everybody
    if (given.is("no-dereference"))
      given.objections.add("UNSUPPORTED", `mount ${given.whole}: a link itself cannot be mounted by this version's launcher`);
    return {
      type: "bind",
      source: resolve(workingDirectory, source ?? ""),
      target,
      readOnly,
      createSource: given.is("bind-create-src"),
      ...(propagation !== undefined && isPropagation(propagation) && { propagation }),
      ...(recursive !== "enabled" && { recursive: recursive as NonNullable<BindMount["recursive"]> }),
      ...(given.is("chown") && { chown: true }),
      ...(given.is("idmap") && { idmap: true }),
    };
  },

  volume(given: Given, target: string): VolumeMount {
    const [source, subpath, driver] = [given.text("source"), given.text("subpath"), given.text("volume-driver")];
    const labels = pairs(given, "volume-label");
    const driverOptions = pairs(given, "volume-opt");
    return {
      type: "volume",
      target,
      ...(source !== undefined && source !== "" && { source }),
      ...(isReadOnly(given) && { readOnly: true }),
      ...(given.is("volume-nocopy") && { noCopy: true }),
      ...(subpath !== undefined && { subpath }),
      ...(driver !== undefined && driver !== "" && { driver }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(driverOptions).length > 0 && { driverOptions }),
      ...(given.is("chown") && { chown: true }),
      ...(given.is("idmap") && { idmap: true }),
    };
  },

  tmpfs(given: Given, target: string): TmpfsMount {
    const size = given.read("tmpfs-size", readSize);
    const mode = given.read("tmpfs-mode", readMode);
    if (given.is("tmpcopyup"))
      given.objections.add("UNSUPPORTED", `mount ${given.whole}: nothing is copied into a tmpfs`, "a volume gets what the image has");
    return { ...memory(given, target), ...(size !== undefined && { size }), ...(mode !== undefined && { mode }) };
  },

  ramfs: (given: Given, target: string): TmpfsMount => ({ ...memory(given, target), ramfs: true }),

  image(given: Given, target: string): ImageViewMount {
    const [source, subpath] = [given.text("source"), given.text("subpath")];
    if (!source) given.object("it has no source", "source=IMAGE");
    return {
      type: "image",
      source: source ?? "",
      target,
      ...(subpath !== undefined && { subpath }),
      ...(given.has("rw") && given.is("rw") && { writable: true }),
    };
  },

  devpts(given: Given, target: string): DevptsMount {
    const numbers = {
      uid: given.read("uid", readId),
      gid: given.read("gid", readId),
      mode: given.read("mode", readMode),
      max: given.read("max", readId),
    };
    return { type: "devpts", target, ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)) };
  },
};

function memory(given: Given, target: string): TmpfsMount {
  const words = ["noatime", "noexec", "nosuid", "nodev"]
    .filter((word) => given.has(word))
    .map((word) => (given.is(word) ? word : word.slice(2)));
  const options = [...(isReadOnly(given) ? ["ro"] : []), ...words];
  return { type: "tmpfs", target, ...(options.length > 0 && { options }) };
}

/** `KEY=VALUE`, any number of times. */
function pairs(given: Given, key: string): Record<string, string> {
  return Object.fromEntries(
    given.all(key).map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
