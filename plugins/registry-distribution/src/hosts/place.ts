/** One place where the content of a registry is: the registry itself, or a mirror of it. Data, made from configuration. */
export interface Place {
  /** `host[:port]`: its credentials and certificates count. */
  readonly host: string;
  /** Where the API is on that host. */
  readonly base: string;
  /** `any`: https without a look at the certificate, else plain http, as Docker does with insecure registries. */
  readonly protocol: "https" | "http" | "any";
  /** What stands before the repository there; with a trailing slash, or empty. */
  readonly prefix: string;
  readonly mirror: boolean;
  readonly pulls: "all" | "digest-only" | "tag-only" | "none";
  readonly pushes: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** A place, for one repository: `repository` is its name there. */
export interface Located extends Omit<Place, "prefix"> {
  readonly repository: string;
}

/** What a configuration file says about the names below `prefix`. */
export interface Entry {
  /** `host[:port][/path]`, or `*.example.com`. */
  readonly prefix: string;
  /** Tried in this order; the last one is the registry itself. */
  readonly places: readonly Place[];
  readonly blocked: boolean;
  /** The file that says so. */
  readonly from: string;
}

const ordinary = { base: "/v2", protocol: "https", prefix: "", mirror: false, pulls: "all", pushes: true, headers: {} } as const;

/** `host[:port][/path]`, as it stands in a reference. */
export function placeAt(location: string, rest: Partial<Place> = {}): Place {
  const slash = location.indexOf("/");
  const host = slash < 0 ? location : location.slice(0, slash);
  const path = slash < 0 ? "" : location.slice(slash + 1).replace(/\/+$/, "");
  return { ...ordinary, host, prefix: path === "" ? "" : `${path}/`, ...rest };
}

/** Both given without a trailing slash; longest prefix first is the caller's business. */
export function matches(prefix: string, name: string): boolean {
  if (!prefix.startsWith("*.")) return name === prefix || name.startsWith(`${prefix}/`);
  return name.split("/", 1)[0]?.replace(/:\d+$/, "").endsWith(prefix.slice(1)) ?? false;
}

/** A place stands for the part of the name that the entry's prefix matches; what is left of the name follows it. */
export function locate({ prefix: at, ...place }: Place, entry: Pick<Entry, "prefix">, registry: string, repository: string): Located {
  if (place.host === "") return { ...place, host: registry, repository };
  const matched = entry.prefix.startsWith("*.") ? "" : entry.prefix.slice(registry.length + 1);
  const rest = matched === "" ? repository : repository.slice(matched.length + 1);
  return { ...place, repository: `${at}${rest}`.replace(/\/$/, "") };
}
