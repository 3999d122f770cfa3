import { csvFields, parseBoolean } from "./csv.ts";
import type { Device } from "./instruction.ts";
import { Complaint } from "./problem.ts";
import { didYouMean } from "./suggest.ts";

/** `RUN --mount`, with its variables expanded. Which fields mean something depends on the type. */
export interface RunMount {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  /** A stage, a named context or an image; the build context when absent. */
  readonly from?: string;
  readonly source?: string;
  readonly target?: string;
  readonly readonly: boolean;
  /** tmpfs, bytes. */
  readonly size?: number;
  readonly id?: string;
  readonly sharing?: "shared" | "private" | "locked";
  readonly required: boolean;
  /** Of a secret: the variable that holds it. */
  readonly env?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

const types: readonly string[] = ["bind", "cache", "tmpfs", "secret", "ssh"] satisfies readonly RunMount["type"][];
const sharings: readonly string[] = ["shared", "private", "locked"];
const keys = [
  ...["type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid"],
  ...["src", "dst", "destination", "ro", "rw", "readwrite", "env"],
];

type Draft = { -readonly [Field in keyof RunMount]: RunMount[Field] };

/** Reads the fields in their order, as Docker does: `required` before `type=secret` is wrong there too. */
export function parseMount(text: string, expandValue: (value: string) => string): RunMount {
  const mount: Draft = { type: "bind", readonly: true, required: false };
  let access = false;
  for (const field of csvFields(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (equals < 0) {
      if (!["readonly", "ro", "readwrite", "rw", "required"].includes(key))
        throw new Complaint(`invalid field '${field}' must be a key=value pair`);
    }
    const value = equals < 0 ? "true" : expandValue(field.slice(equals + 1));
    access ||= ["readonly", "ro", "readwrite", "rw"].includes(key);
    readField(mount, key, value, field);
  }
  checkMount(mount);
  if (!access) mount.readonly = mount.type !== "cache" && mount.type !== "tmpfs";
  return mount;
}

function readField(mount: Draft, key: string, value: string, field: string): void {
  const boolean = () => parseBoolean(value) ?? wrong(`invalid value for ${key}: ${value}`);
  const only = (...allowed: RunMount["type"][]) => {
    if (!allowed.includes(mount.type)) wrong(`unexpected key '${key}' for mount type '${mount.type}'`);
  };
  switch (key) {
    case "type":
      if (!types.includes(value.toLowerCase()))
        throw new Complaint(`unsupported mount type ${JSON.stringify(value)}`, { hint: oneOf(value, types) });
      mount.type = value.toLowerCase() as RunMount["type"];
      break;
    case "from":
      mount.from = value;
      break;
    case "source":
    case "src":
      mount.source = value;
      break;
    case "target":
    case "dst":
    case "destination":
      mount.target = value;
      break;
    case "readonly":
    case "ro":
      mount.readonly = boolean();
      break;
    case "readwrite":
    case "rw":
      mount.readonly = !boolean();
      break;
    case "required":
      only("secret", "ssh");
      mount.required = boolean();
      break;
    case "size":
      only("tmpfs");
      mount.size = bytes(value) ?? wrong(`invalid value for ${key}: ${value}`);
      break;
    case "id":
      mount.id = value;
      break;
    case "sharing":
      if (!sharings.includes(value.toLowerCase()))
        throw new Complaint(`unsupported sharing value ${JSON.stringify(value)}`, { hint: oneOf(value, sharings) });
      mount.sharing = value.toLowerCase() as NonNullable<RunMount["sharing"]>;
      break;
    case "mode":
      mount.mode = unsigned(value, 8) ?? wrong(`invalid value ${value} for mode`);
      break;
    case "uid":
    case "gid":
      mount[key] = unsigned(value, 10) ?? wrong(`invalid value ${value} for ${key}`);
      break;
    case "env":
      mount.env = value;
      break;
    default:
      throw new Complaint(`unexpected key '${key}' in '${field}'`, { hint: didYouMean(key, keys) });
  }
}

function checkMount(mount: Draft): void {
  if (mount.type === "bind" || mount.type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const)
      if (mount[key] !== undefined) wrong(`${key} not allowed for ${JSON.stringify(mount.type)} type mounts`);
  }
  if (mount.type === "secret") {
    if (mount.from) wrong("secret mount should not have a from");
    if (mount.sharing) wrong("secret mount should not define sharing");
    if (!mount.source && !mount.target && !mount.id) wrong("invalid secret mount. one of source, target required");
    if (mount.source && mount.id) wrong("both source and id can't be set");
  }
  if (mount.sharing && mount.type !== "cache") wrong(`invalid cache sharing set for ${mount.type} mount`);
}

/**
 * The stage, context or image that a mount is from, before variables are known: stages are ordered by it, so it cannot have any.
 */
export function mountSource(text: string): string | undefined {
  let from: string | undefined;
  for (const field of csvFields(text)) {
    const [, value] = /^from=(.*)$/is.exec(field) ?? [];
    if (value === undefined) continue;
    if (/\$./s.test(value)) throw new Complaint("'from' doesn't support variable expansion, define alias stage instead");
    from = value;
  }
  return from === "" ? undefined : from;
}

/** `RUN --device=vendor.com/class=name,required`. */
export function parseDevice(text: string): Device {
  let name: string | undefined;
  let required = false;
  for (const field of csvFields(text)) {
    const [, key = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(field) ?? [];
    if (key.toLowerCase() === "required") {
      required = value === undefined ? true : (parseBoolean(value) ?? wrong(`invalid value for required: ${value}`));
    } else if (key.toLowerCase() === "name" && value !== undefined) {
      if (name) wrong(`device name already set to ${name}`);
      name = value;
    } else if (!name) name = field;
    else if (value === undefined) wrong(`invalid field '${field}' must be a key=value pair`);
    else throw new Complaint(`unexpected key '${key}' in '${field}'`, { hint: didYouMean(key, ["name", "required"]) });
  }
  return { name: name ?? "", required };
}

const oneOf = (word: string, options: readonly string[]) => didYouMean(word, options) ?? `one of ${options.join(", ")}`;

function unsigned(text: string, radix: 8 | 10): number | undefined {
  const value = (radix === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(text) ? Number.parseInt(text, radix) : -1;
  return value >= 0 && value < 2 ** 32 ? value : undefined;
}

/** Docker's sizes, in powers of 1024: `64m`, `1.5GiB`, `100 kb`. */
function bytes(text: string): number | undefined {
  const [, amount, unit = ""] = /^((?:\d+\.?\d*|\.\d+)(?:e\d+)?) ?(?:([kmgtp])?i?b?)$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return Math.trunc(Number(amount) * 1024 ** (unit === "" ? 0 : "kmgtp".indexOf(unit.toLowerCase()) + 1));
}

function wrong(reason: string): never {
  throw new Complaint(reason);
}
