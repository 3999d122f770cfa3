import { homedir } from "node:os";
import { join } from "node:path";
import { RamekinError, type Reference, type RegistryAccess } from "@ramekin/core";
import type { Trust } from "../dialer.ts";
import { certificatesIn, certificatesOf, loadTrust, type Trusted } from "./certificates.ts";
import { readHostsToml } from "./hosts-toml.ts";
import { insecureHosts } from "./insecure.ts";
import { readOwnFile } from "./own-file.ts";
import { type Entry, type Located, locate, matches, placeAt } from "./place.ts";
import { readRegistriesConf } from "./registries-conf.ts";

/** What this machine's configuration says about registries. Read when first asked, and once. */
export interface HostRules {
  /** Mirrors first, the registry last; a registry that is blocked rejects with PERMISSION_DENIED. */
  places(reference: Pick<Reference, "registry" | "repository">): Promise<readonly Located[]>;
  trust(host: string): Promise<Trust>;
  /** Where the registry of `access` is, by what `places` has said of it. */
  meant(host: string): boolean;
}

export interface HostRuleOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Registries that are insecure, besides those of the files. */
  readonly insecure?: readonly string[];
  /** What somebody says about one registry goes before all files. */
  readonly access?: Pick<RegistryAccess, "certificates" | "verify"> & { readonly registry: string };
  /** What is read instead of /etc; for tests. */
  readonly etc?: string;
}

/**
 * Who knows the registry first is believed: `registries.toml`, containerd's `hosts.toml`, containers' `registries.conf`. The
 * folders of certificates count beside all of them.
 */
export function hostRules({ environment, insecure = [], access, etc = "/etc" }: HostRuleOptions): HostRules {
  const home = environment["HOME"] || homedir();
  const configHome = environment["XDG_CONFIG_HOME"] || join(home, ".config");
  const containerd = [join(configHome, "containerd/certs.d"), join(etc, "containerd/certs.d")];
  const certificates = [
    join(configHome, "ramekin/certs.d"),
    join(etc, "ramekin/certs.d"),
    join(configHome, "containers/certs.d"),
    join(etc, "containers/certs.d"),
    join(etc, "docker/certs.d"),
    // What rootless Docker reads.
    join(configHome, "docker/certs.d"),
  ];
  const own = once(() => readOwnFile(configHome, join(etc, "ramekin")));
  const conf = once(() => readRegistriesConf(environment, configHome, join(etc, "containers")));
  const hosts = eachOnce((registry) => readHostsToml(containerd, registry));
  const exempt = once(async () => insecureHosts((await own()).insecure));

  /** Of the hosts that a hosts.toml of another registry names. */
  const mirrorTrust = new Map<string, Trusted>();
  const laxPlaces = new Set<string>();
  /** The registry may be elsewhere than its name says; and a URL has lost the port that goes without saying. */
  const meantPlaces = new Set<string>();
  const meant = (host: string) => meantPlaces.has(host.replace(/:443$/, ""));

  const trusted = async (address: string): Promise<Trusted> => {
    const host = address === "registry-1.docker.io" ? "docker.io" : address;
    const said = meant(host) ? access : undefined;
    const found = await (said?.certificates === undefined
      ? // A URL has lost the port that goes without saying; the folder may have it.
        certificatesOf(certificates, /:\d+$/.test(host) ? [host] : [host, `${host}:443`])
      : certificatesFrom(said.certificates));
    const declared = (await own()).trust.get(host) ?? (await hosts(host))?.trust.get(host) ?? mirrorTrust.get(host);
    const authorities = [...(declared?.authorities ?? []), ...found.authorities];
    const identities = [...(declared?.identities ?? []), ...found.identities];
    // Where somebody has given it an authority, even this machine has to prove itself.
    const lax = declared?.insecure || laxPlaces.has(host) || insecure.includes(host) || (await exempt())(host);
    const exempted = declared?.insecure || (lax && authorities.length === 0);
    return { authorities, identities, insecure: said?.verify === undefined ? exempted : !said.verify };
  };
  const trust = eachOnce(async (host) => loadTrust(await trusted(host)));

  return {
    async places({ registry, repository }) {
      const entry = await entryFor(registry, repository);
      if (entry?.blocked) {
        throw new RamekinError("PERMISSION_DENIED", `${registry}/${repository} is blocked`, { hint: `${entry.from} says so` });
      }
      const { prefix, places: known } = entry ?? { prefix: registry, places: [placeAt(registry)] };
      const places = known.map((place) => locate(place, { prefix }, registry, repository));
      if (registry === access?.registry) for (const { host, mirror } of places) if (!mirror) meantPlaces.add(host.replace(/:443$/, ""));
      for (const { host, protocol } of places) if (protocol === "any") laxPlaces.add(host);
      return Promise.all(places.map(async (place) => ({ ...place, protocol: await protocolOf(place) })));
    },
    trust,
    meant,
  };

  async function entryFor(registry: string, repository: string): Promise<Entry | undefined> {
    const name = `${registry}/${repository}`;
    const longest = (entries: readonly Entry[]) =>
      entries.filter(({ prefix }) => matches(prefix, name)).sort((a, b) => b.prefix.length - a.prefix.length)[0];
    const ours = longest((await own()).entries);
    if (ours) return ours;
    const found = await hosts(registry);
    for (const [host, files] of found?.trust ?? []) mirrorTrust.set(host, files);
    return found?.entry ?? longest(await conf());
  }

  async function protocolOf({ host, protocol, mirror }: Located): Promise<Located["protocol"]> {
    if (meant(host) && !mirror && access?.verify !== undefined) return access.verify ? "https" : "any";
    if (protocol !== "https") return protocol;
    const { verified, authorities } = await trust(host);
    return !verified && authorities.length === 0 ? "any" : "https";
  }
}

async function certificatesFrom(folder: string): Promise<Trusted> {
  const found = await certificatesIn(folder);
  if (found) return found;
  throw new RamekinError("NOT_FOUND", `no folder ${folder} with certificates`);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  const one = eachOnce<T>(make);
  return () => one("");
}

function eachOnce<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
