import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Kind, RamekinError } from "@ramekin/core";
import type { Preference } from "./kernel/select.ts";
import { readPolicy } from "./policy.ts";
import { isGone } from "./store/files.ts";
import type { GcPolicy } from "./store-api.ts";

/**
 * `config.toml`, all of it optional:
 *
 *     root = "/srv/ramekin"
 *     runroot = "/run/ramekin"
 *     [drivers]
 *     storage = "vfs"                         # by kind
 *     codec = ["native-gzip", "node-zstd"]    # of kinds with a subject, one for each
 *     [gc]                                    # after a pull or load, unused images go until this holds
 *     max-used = "20GB"
 *     min-free = "5GB"
 *     reserved = "2GB"                        # images may always take so much
 *     max-age = "720h"                        # since the last use
 *     keep-last = 3                           # unused images, the most recently used
 */
export interface ConfigFile {
  readonly root?: string;
  readonly runroot?: string;
  readonly drivers?: Readonly<Record<string, string | readonly string[]>>;
  readonly gc?: GcPolicy;
  readonly [section: string]: unknown;
}

export interface LoadedConfig {
  readonly path: string;
  readonly content: ConfigFile;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's file, else the machine's: the first that exists is the only one that counts. */
export async function loadConfig(environment: Environment, machine = "/etc/ramekin/config.toml"): Promise<LoadedConfig | undefined> {
  const own = join(environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || homedir(), ".config"), "ramekin", "config.toml");
  for (const path of [own, machine]) {
    const text = readText(path);
    if (text !== undefined) return { path, content: await parseConfig(path, text) };
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw new RamekinError("PERMISSION_DENIED", `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function parseConfig(path: string, text: string): Promise<ConfigFile> {
  const wrong = (what: string, cause?: unknown) => new RamekinError("INVALID_ARGUMENT", `${path}: ${what}`, { cause });
  const { parse } = await import("smol-toml"); // a parser that most runs never need
  let content: Record<string, unknown>;
  try {
    content = parse(text);
  } catch (error) {
    throw wrong(error instanceof Error ? (error.message.split("\n")[0] ?? "not TOML") : "not TOML", error);
  }
  for (const key of ["root", "runroot"]) {
    if (content[key] !== undefined && typeof content[key] !== "string") throw wrong(`${key} is not a string`);
  }
  const drivers = content["drivers"] ?? {};
  if (typeof drivers !== "object" || Array.isArray(drivers)) throw wrong("drivers is not a table");
  for (const [kind, name] of Object.entries(drivers)) {
    if (![name].flat().every((each) => typeof each === "string")) throw wrong(`drivers.${kind} is neither a name nor a list of names`);
  }
  if (content["gc"] === undefined) return content as ConfigFile;
  const gc = readPolicy(content["gc"]);
  if (typeof gc === "string") throw wrong(gc);
  return { ...content, gc } as ConfigFile;
}

/** Flag, then environment, then file. The file is read when the first two are silent, and once. */
export function preferences(
  flags: Partial<Readonly<Record<Kind, string>>>,
  environment: Environment,
  file: () => Promise<LoadedConfig | undefined>,
): (kind: Kind) => Promise<Preference | undefined> {
  const list = (names: string) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
  return async (kind) => {
    const flag = flags[kind];
    if (flag !== undefined) return { names: list(flag), from: `the options of this call` };
    const variable = `RAMEKIN_${kind.toUpperCase()}`;
    const value = environment[variable];
    if (value) return { names: list(value), from: variable };
    const loaded = await file();
    const names = loaded?.content.drivers?.[kind];
    return loaded && names !== undefined ? { names: typeof names === "string" ? [names] : names, from: loaded.path } : undefined;
  };
}
