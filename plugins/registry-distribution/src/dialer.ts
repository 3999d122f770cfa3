import { type Agent, type ClientRequest, Agent as PlainAgent, request as plainRequest, type RequestOptions } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { getCACertificates } from "node:tls";
import type { ProxyFinder } from "./proxy.ts";
import { tunnel } from "./tunnel.ts";

/** What proves who a host is, and who we are to it. */
export interface Trust {
  /** PEM; besides those that Node trusts. */
  readonly authorities: readonly string[];
  /** PEM: certificates and their keys, in the order of their names. */
  readonly identities: readonly { readonly cert: string; readonly key: string }[];
  /** False: whoever answers is believed. */
  readonly verified: boolean;
}

/** How hosts are reached: certificates, proxies, open connections, patience. One per client. */
export interface Dialer {
  /** Longest silence on a connection, in milliseconds. */
  readonly idle: number;
  /** `begun` is the URL that a chain of redirects or a login began with. */
  route(url: URL, begun: URL): Promise<Route>;
  /** From now on, the machine's authorities count as well; false when they do already. */
  trustMachine(): boolean;
  close(): void;
}

export interface Route {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DialerOptions {
  readonly idle: number;
  readonly proxy: ProxyFinder;
  /** By `host[:port]`. */
  readonly trust: (host: string) => Promise<Trust>;
}

export function dialer({ idle, proxy, trust }: DialerOptions): Dialer {
  const agents = new Map<string, Agent>();
  let machine = false;

  const agentFor = (key: string, make: () => Agent) => {
    const known = agents.get(key);
    if (known) return known;
    const agent = make();
    agents.set(key, agent);
    return agent;
  };
  /** A registry's authority also speaks for where it sends us: its token server, its store. Its exemptions do not reach as far. */
  const secured = async (url: URL, begun: URL) => {
    const own = await trust(url.host);
    const inherited = begun.host === url.host ? [] : (await trust(begun.host)).authorities;
    const more = [...own.authorities, ...inherited, ...(machine ? getCACertificates("system") : [])];
    return {
      rejectUnauthorized: own.verified,
      ...(more.length > 0 && { ca: [...getCACertificates("default"), ...more] }),
      ...(own.identities.length > 0 && { cert: own.identities.map(({ cert }) => cert), key: own.identities.map(({ key }) => key) }),
    };
  };

  return {
    idle,
    async route(url, begun) {
      const through = proxy(url);
      if (url.protocol === "https:") {
        const key = `${url.host} ${begun.host} ${machine}`;
        const tls = agents.has(key) ? {} : await secured(url, begun);
        const agent = agentFor(key, () => {
          const made = new SecureAgent({ keepAlive: true, ...tls });
          if (through) tunnel(made, through, tls);
          return made;
        });
        return { request: secureRequest, options: { ...addressOf(url), agent }, headers: {} };
      }
      const agent = agentFor("http", () => new PlainAgent({ keepAlive: true }));
      if (!through) return { request: plainRequest, options: { ...addressOf(url), agent }, headers: {} };
      const request = through.url.protocol === "https:" ? secureRequest : plainRequest;
      const { host, port } = addressOf(through.url);
      return { request, options: { host, port, path: url.href }, headers: through.headers };
    },
    trustMachine() {
      if (machine) return false;
      machine = true;
      return true;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function addressOf(url: URL) {
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (url.protocol === "https:" ? 443 : 80),
    path: url.pathname + url.search,
  };
}
