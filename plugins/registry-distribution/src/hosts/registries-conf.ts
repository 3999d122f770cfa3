import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, type Place, placeAt } from "./place.ts";
import { reader, readToml, type Table, wrong } from "./read-toml.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** containers-registries.conf(5), version 2: prefix, location, insecure, blocked, mirrors. Short names are ours alone to resolve: as Docker does. */
export async function readRegistriesConf(environment: Environment, configHome: string, machine = "/etc/containers"): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  for (const path of await filesOf(environment, configHome, machine)) {
    const table = await readToml(path, (text) => /^\s*\[\[\s*registry/m.test(text));
    // A later file replaces what an earlier one says about a prefix.
    if (table) for (const each of reader(path, "", table).tables("registry")) put(entries, entryOf(path, each));
  }
  return [...entries.values()];
}

function put(entries: Map<string, Entry>, entry: Entry): void {
  entries.set(entry.prefix, entry);
}

async function filesOf(environment: Environment, configHome: string, machine: string): Promise<string[]> {
  const named = environment["CONTAINERS_REGISTRIES_CONF"];
  const main = named ? [named] : [join(machine, "registries.conf"), join(configHome, "containers", "registries.conf")];
  const folders = [join(machine, "registries.conf.d"), join(configHome, "containers", "registries.conf.d")];
  const dropIns = await Promise.all(folders.map(async (folder) => (await confFiles(folder)).map((name) => join(folder, name))));
  return [...main, ...dropIns.flat()];
}

async function confFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".conf")).sort();
}

function entryOf(path: string, table: Table): Entry {
  const at = reader(path, "registry.", table);
  const location = at.string("location");
  const prefix = at.string("prefix") ?? location;
  if (prefix === undefined || prefix === "") throw wrong(path, "a registry has neither prefix nor location");
  if (location === undefined && !prefix.startsWith("*.")) throw wrong(path, `registry ${prefix} has no location`);
  const digests = at.boolean("mirror-by-digest-only") === true ? "digest-only" : "all";
  const mirrors = at.tables("mirror").map((each): Place => {
    const mirror = reader(path, `mirror of ${prefix}: `, each);
    const pulls = mirror.string("pull-from-mirror") ?? digests;
    if (pulls !== "all" && pulls !== "digest-only" && pulls !== "tag-only")
      throw wrong(path, `mirror of ${prefix}: pull-from-mirror is ${pulls}`);
    const where = mirror.string("location");
    if (where === undefined) throw wrong(path, `a mirror of ${prefix} has no location`);
    return placeAt(where, { mirror: true, pushes: false, pulls, protocol: mirror.boolean("insecure") ? "any" : "https" });
  });
  const protocol = at.boolean("insecure") === true ? "any" : "https";
  // Without a location, a wildcard's names stay what they are: `rules.ts` fills in the host.
  const registry = placeAt(location ?? "", { protocol });
  return { prefix, places: [...mirrors, registry], blocked: at.boolean("blocked") ?? false, from: path };
}
