import { join } from "node:path";
import type { Trusted } from "./certificates.ts";
import { type Entry, type Place, placeAt } from "./place.ts";
import { isTable, reader, readToml, type Table, wrong } from "./read-toml.ts";

export interface HostsToml {
  readonly entry: Entry;
  readonly trust: ReadonlyMap<string, Trusted>;
}

/** containerd's `certs.d/<host>/hosts.toml` (docs/hosts.md there), or `_default/hosts.toml`. */
export async function readHostsToml(folders: readonly string[], registry: string): Promise<HostsToml | undefined> {
  for (const folder of folders) {
    for (const name of [registry, registry.replace(/:(\d+)$/, "_$1_"), "_default"]) {
      const path = join(folder, name, "hosts.toml");
      const table = await readToml(path);
      if (table) return hostsOf(path, join(folder, name), registry, table, name === "_default");
    }
  }
  return undefined;
}

function hostsOf(path: string, folder: string, registry: string, table: Table, fallback: boolean): HostsToml {
  const trust = new Map<string, Trusted>();
  const own = registry === "docker.io" ? "https://registry-1.docker.io" : `https://${registry}`;
  const read = (url: string, settings: Table, mirror: boolean): Place => {
    const at = reader(path, `host "${url}": `, settings);
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== "https:" && target?.protocol !== "http:") throw wrong(path, `${JSON.stringify(url)} is not the URL of a host`);
    const insecure = at.boolean("skip_verify") ?? false;
    const files = pathsIn(path, folder, settings);
    if (files.authorities.length > 0 || files.identities.length > 0 || insecure) trust.set(target.host, { ...files, insecure });
    const path_ = target.pathname.replace(/\/+$/, "");
    const capabilities = at.strings("capabilities") ?? ["pull", "resolve", "push"];
    // A host that may pull but not resolve serves what a digest names, and nothing else.
    const pulls = !capabilities.includes("pull") ? "none" : capabilities.includes("resolve") ? "all" : "digest-only";
    return placeAt(target.host === "registry-1.docker.io" ? "docker.io" : target.host, {
      base: at.boolean("override_path") === true ? path_ : `${path_}/v2`,
      protocol: target.protocol === "http:" ? "http" : insecure ? "any" : "https",
      mirror,
      pulls,
      pushes: capabilities.includes("push"),
      headers: headersIn(path, at.table("header") ?? {}),
    });
  };
  const { host = {}, server, ...root } = table;
  if (!isTable(host)) throw wrong(path, "host is not a table");
  const mirrors = Object.entries(host).map(([url, settings]) => {
    if (!isTable(settings)) throw wrong(path, `host "${url}" is not a table`);
    return read(url, settings, true);
  });
  if (server !== undefined && typeof server !== "string") throw wrong(path, "server is not a string");
  const last = read(fallback ? own : (server ?? own), root, false);
  return { entry: { prefix: registry, places: [...mirrors, last], blocked: false, from: path }, trust };
}

/** `ca` is a path or several; `client` a path, or pairs of certificate and key; below the file's own folder unless absolute. */
function pathsIn(path: string, folder: string, { ca, client }: Table): Pick<Trusted, "authorities" | "identities"> {
  const at = (name: unknown): string => {
    if (typeof name !== "string") throw wrong(path, "ca and client are paths, or lists of paths");
    return name.startsWith("/") ? name : join(folder, name);
  };
  const list = (value: unknown): readonly unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
  return {
    authorities: list(ca).map(at),
    identities: list(client).map((pair) => {
      const [cert, key] = Array.isArray(pair) ? pair : [pair];
      return { cert: at(cert), key: at(key === undefined || key === "" ? cert : key) };
    }),
  };
}

function headersIn(path: string, header: Table): Record<string, string> {
  return Object.fromEntries(
    Object.entries(header).map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(", ") : value;
      if (typeof text !== "string" || /[\r\n]/.test(text)) throw wrong(path, `header ${name} is not a string`);
      return [name.toLowerCase(), text];
    }),
  );
}
