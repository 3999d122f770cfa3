import { type Cancellable, isRamekinError } from "@ramekin/core";
import type { Dialer } from "./dialer.ts";
import { isCertificateError } from "./failure.ts";
import type { Located } from "./hosts/place.ts";
import { exchange } from "./http.ts";

export type OriginFinder = (place: Pick<Located, "host" | "protocol" | "base">, options: Cancellable) => Promise<URL>;

/** Where a place's API lives. An insecure one is tried by https first, so that one with a certificate stays encrypted. */
export function originFinder(dialer: Dialer): OriginFinder {
  const known = new Map<string, Promise<URL>>();
  return ({ host, protocol, base }, { signal }) => {
    if (host === "docker.io") return Promise.resolve(new URL("https://registry-1.docker.io"));
    const secure = new URL(`https://${host}`);
    if (protocol === "https") return Promise.resolve(secure);
    if (protocol === "http") return Promise.resolve(plain(secure));
    const found = known.get(host);
    if (found) return found;
    const probed = probe(dialer, new URL(`${base}/`, secure), signal);
    known.set(host, probed);
    // A cancelled or failed probe says nothing about the registry: the next caller asks again.
    probed.catch(() => known.delete(host));
    return probed;
  };
}

async function probe(dialer: Dialer, url: URL, signal: AbortSignal | undefined): Promise<URL> {
  const secure = new URL(url.origin);
  try {
    const response = await exchange({ method: "GET", url, dialer, signal });
    await response.discard();
    return secure;
  } catch (error) {
    if (isRamekinError(error, "CANCELLED")) throw error;
    if (isCertificateError(error)) return secure;
    return plain(secure);
  }
}

/** By text: the URL class keeps a port that is the default of the other protocol. */
function plain(secure: URL): URL {
  return new URL(secure.href.replace(/^https:/, "http:"));
}
