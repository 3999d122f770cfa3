import type { DiffID, ImageConfig } from "@ramekin/core";
import { isStringMap } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { isObject, type JsonObject, parseJsonObject, present, Violations, withoutNulls } from "./json.ts";
import { maxManifestEntries, maxManifestSize } from "./manifest.ts";

/** What a container of the image runs with (OCI image spec, config.md, "config"; Docker's HealthCheck, OnBuild and Shell besides). */
export interface ImageRunConfig {
  readonly User?: string;
  /** `8080/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=value`. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: Healthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
  /** Docker on Windows: the command line is one string already escaped. */
  readonly ArgsEscaped?: boolean;
  readonly [field: string]: unknown;
}

/** Docker image spec v1.2; durations in nanoseconds. */
export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly author?: string;
  readonly created_by?: string;
  readonly comment?: string;
  /** It made no layer. */
  readonly empty_layer?: boolean;
}

/** An image configuration, whole. Fields that were null are absent; fields that nobody knows are kept. */
export interface ContainerImageConfig extends ImageConfig {
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly config?: ImageRunConfig;
  readonly history?: readonly HistoryEntry[];
}

/**
 * Tolerant as the tools that write them are different: null is absent, architecture and os may be missing (then empty).
 * What a container would stumble over later (an Env that is no list of strings, a diff id that is none) is DATA_LOSS, all at once in `errors`.
 */
export function parseImageConfig(bytes: Uint8Array): ContainerImageConfig {
  const fields = withoutNulls(parseJsonObject(bytes, "the image config", maxManifestSize));
  const violations = new Violations("the image config");
  const text = (field: string, where: JsonObject, prefix = "") => {
    if (present(where[field]) && typeof where[field] !== "string") violations.add(prefix + field, "must be a string");
  };
  for (const field of ["architecture", "os", "variant", "created", "author"]) text(field, fields);

  const run = fields["config"];
  if (present(run) && !isObject(run)) violations.add("config", "must be an object");
  const config = isObject(run) ? readRunConfig(withoutNulls(run), violations) : undefined;
  const rootfs = readRootfs(fields["rootfs"], violations);
  const history = readHistory(fields["history"], violations);
  violations.throw();
  return {
    ...fields,
    architecture: "",
    os: "",
    ...pick(fields, "architecture", "os"),
    rootfs,
    ...(config && { config }),
    ...(history && { history }),
  };
}

function readRunConfig(fields: JsonObject, violations: Violations): ImageRunConfig {
  const need = (ok: boolean, field: string, why: string) => {
    if (!ok) violations.add(`config.${field}`, why);
  };
  for (const field of ["User", "WorkingDir", "StopSignal"])
    need(fields[field] === undefined || typeof fields[field] === "string", field, "must be a string");
  for (const field of ["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"])
    need(fields[field] === undefined || isStrings(fields[field]), field, "must be a list of strings");
  for (const field of ["ExposedPorts", "Volumes"]) need(fields[field] === undefined || isObject(fields[field]), field, "must be an object");
  need(fields["Labels"] === undefined || isStringMap(fields["Labels"]), "Labels", "must map strings to strings");
  const health = fields["Healthcheck"];
  need(
    health === undefined || (isObject(health) && (!present(health["Test"]) || isStrings(health["Test"]))),
    "Healthcheck",
    "must be an object with a list Test",
  );
  return { ...fields, ...(isObject(health) && { Healthcheck: withoutNulls(health) }) };
}

function readRootfs(value: unknown, violations: Violations): ImageConfig["rootfs"] {
  const ids = isObject(value) ? (value["diff_ids"] ?? []) : [];
  if (present(value) && !isObject(value)) violations.add("rootfs", "must be an object");
  if (!Array.isArray(ids) || !ids.every(isDigest)) violations.add("rootfs.diff_ids", "must be a list of digests");
  else if (ids.length > maxManifestEntries) violations.add("rootfs.diff_ids", `${ids.length} entries, the limit is ${maxManifestEntries}`);
  return { type: "layers", diff_ids: ids as DiffID[] };
}

function readHistory(value: unknown, violations: Violations): HistoryEntry[] | undefined {
  if (!present(value)) return undefined;
  if (!Array.isArray(value) || !value.every(isObject)) {
    violations.add("history", "must be a list of objects");
    return undefined;
  }
  return value.map(withoutNulls);
}

const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every((entry) => typeof entry === "string");

function pick(fields: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (present(fields[name]) ? [[name, fields[name]]] : [])));
}
