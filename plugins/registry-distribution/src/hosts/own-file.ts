import { join } from "node:path";
import type { Trusted } from "./certificates.ts";
import { type Entry, type Place, placeAt } from "./place.ts";
import { isTable, reader, readToml, wrong } from "./read-toml.ts";

/** What `registries.toml` says, beside the engine's config.toml: see docs/registries.md. */
export interface OwnFile {
  readonly entries: readonly Entry[];
  /** Hosts, `host:port`s and networks; present, it stands for Docker's rule about this machine as well. */
  readonly insecure: readonly string[] | undefined;
  /** By host: files of certificates. */
  readonly trust: ReadonlyMap<string, Trusted>;
}

/** The user's file, else the machine's: the first that exists is the only one that counts, as with config.toml. */
export async function readOwnFile(configHome: string, machine = "/etc/ramekin"): Promise<OwnFile> {
  for (const path of [join(configHome, "ramekin", "registries.toml"), join(machine, "registries.toml")]) {
    const table = await readToml(path);
    if (!table) continue;
    const top = reader(path, "", table);
    top.only("insecure-registries", "registry");
    const trust = new Map<string, Trusted>();
    const entries: Entry[] = [];
    for (const [name, value] of Object.entries(top.table("registry") ?? {})) {
      if (!isTable(value)) throw wrong(path, `registry.${name} is not a table`);
      const at = reader(path, `registry."${name}".`, value);
      at.only("mirrors", "insecure", "blocked", "ca", "client-cert", "client-key");
      const insecure = at.boolean("insecure") ?? false;
      const [cert, key] = [at.string("client-cert"), at.string("client-key")];
      if ((cert === undefined) !== (key === undefined)) throw wrong(path, `registry."${name}" has only one of client-cert and client-key`);
      const ca = at.string("ca");
      if (ca !== undefined || cert !== undefined || insecure) {
        trust.set(name.split("/", 1)[0] as string, {
          authorities: ca === undefined ? [] : [ca],
          identities: cert === undefined || key === undefined ? [] : [{ cert, key }],
          insecure,
        });
      }
      const mirrors = (at.strings("mirrors") ?? []).map((mirror) => mirrorAt(path, name, mirror));
      const registry = placeAt(name, insecure ? { protocol: "any" } : {});
      entries.push({ prefix: name, places: [...mirrors, registry], blocked: at.boolean("blocked") ?? false, from: path });
    }
    return { entries, insecure: top.strings("insecure-registries"), trust };
  }
  return { entries: [], insecure: undefined, trust: new Map() };
}

/** As in a reference, `host[:port][/path]`; `http://` before it allows what it says. */
function mirrorAt(path: string, registry: string, text: string): Place {
  const [, scheme, location = ""] = /^(?:(https?):\/\/)?((?:\[[\da-f:]+\]|[^\s/:]+)(?::\d+)?(?:\/\S*)?)$/i.exec(text) ?? [];
  if (location === "") throw wrong(path, `registry."${registry}" has ${JSON.stringify(text)} as a mirror, which is no host[:port][/path]`);
  return placeAt(location, { mirror: true, pushes: false, protocol: scheme === "http" ? "http" : "https" });
}
