import { BlockList, isIP } from "node:net";
import { RamekinError } from "@ramekin/core";

export interface HttpProxy {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export type ProxyFinder = (url: URL) => HttpProxy | undefined;

/**
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case, as Go's `httpproxy` reads them, which is what Docker and podman do:
 * this machine is never asked for through a proxy.
 */
export function proxiesOf(environment: Readonly<Record<string, string | undefined>>): ProxyFinder {
  const of = (name: string) => environment[name] || environment[name.toLowerCase()] || "";
  const exempt = exemptions(of("NO_PROXY"));
  const found = new Map<string, HttpProxy | undefined>();
  return (url) => {
    const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
    if (of(variable) === "" || exempt(url)) return undefined;
    if (!found.has(variable)) found.set(variable, parse(variable, of(variable)));
    return found.get(variable);
  };
}

function parse(variable: string, text: string): HttpProxy {
  const spelled = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(spelled) ? new URL(spelled) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    // The text may hold a password.
    throw new RamekinError("INVALID_ARGUMENT", `${variable} is not the URL of an http or https proxy`);
  }
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers = url.username === "" ? {} : { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` };
  return { url, headers };
}

function exemptions(list: string): (url: URL) => boolean {
  const parts = list
    .split(",")
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== "");
  const networks = new BlockList();
  for (const part of parts) {
    const [address = "", bits] = part.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) !== 0 && bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === "ipv4" ? 32 : 128))
      networks.addSubnet(address, Number(bits), family);
  }
  return (url) => {
    const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, "");
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    const family = isIP(host);
    if (host === "localhost" || host === "::1" || (family === 4 && host.startsWith("127."))) return true;
    if (family !== 0 && networks.check(host, family === 6 ? "ipv6" : "ipv4")) return true;
    return parts.some((part) => {
      if (part === "*") return true;
      const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(part) ?? [];
      if (only !== undefined && only !== port) return false;
      const bare = name.replace(/^\*?\./, "");
      // `.a.b` is for what lies below a.b, `a.b` for itself as well.
      return (host === bare && bare === name) || host.endsWith(`.${bare}`);
    });
  };
}
