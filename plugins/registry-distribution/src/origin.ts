import { type Cancellable, isRamekinError } from "@ramekin/core";
import { isLoopbackRegistry } from "@ramekin/oci";
import { exchange, isCertificateError } from "./http.ts";

export type OriginFinder = (registry: string, options: Cancellable) => Promise<URL>;

/**
 * Where a registry's API lives. Https; only a registry on this machine, or one of `plainHttp`, may speak plain HTTP, and
 * then https is tried first, so that a local registry with a certificate stays encrypted.
 */
export function originFinder(options: { readonly plainHttp: readonly string[]; readonly idle: number }): OriginFinder {
  const known = new Map<string, Promise<URL>>();
  return (registry, { signal }) => {
    if (registry === "docker.io") return Promise.resolve(new URL("https://registry-1.docker.io"));
    const secure = new URL(`https://${registry}`);
    if (!isLoopbackRegistry(registry) && !options.plainHttp.includes(registry)) return Promise.resolve(secure);
    const found = known.get(registry);
    if (found) return found;
    const probed = probe(secure, options.idle, signal);
    known.set(registry, probed);
    // A cancelled or failed probe says nothing about the registry: the next caller asks again.
    probed.catch(() => known.delete(registry));
    return probed;
  };
}

async function probe(secure: URL, idle: number, signal: AbortSignal | undefined): Promise<URL> {
  try {
    const response = await exchange({ method: "GET", url: new URL("/v2/", secure), idle, signal });
    await response.discard();
    return secure;
  } catch (error) {
    if (isRamekinError(error, "CANCELLED")) throw error;
    if (isCertificateError(error)) return secure;
    return new URL(secure.href.replace(/^https:/, "http:"));
  }
}
