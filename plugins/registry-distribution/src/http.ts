import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import type { Dialer } from "./dialer.ts";
import { send } from "./send.ts";

/** One HTTP request. Redirects are followed, credentials are not sent along with them. */
export interface HttpRequest extends Cancellable {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` and to no other (CVE-2020-15157). */
  readonly authorization?: string | undefined;
  /** As `authorization`: headers that somebody has configured for this host may be secrets. */
  readonly confidential?: Readonly<Record<string, string>>;
  /** Called again for a redirect that repeats the method. */
  readonly body?: (() => { readonly size: number; readonly bytes: ByteStream }) | undefined;
  readonly dialer: Dialer;
  /** Who named `url`, if it is not the user: its authority counts there, too. */
  readonly sentBy?: URL | undefined;
}

/** Either read the body to its end, or break out of it, or `discard` it: the connection waits for one of them. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** After redirects. */
  readonly url: URL;
  readonly body: ByteStream;
  discard(): Promise<void>;
}

const maxRedirects = 5;

export async function exchange(request: HttpRequest): Promise<HttpResponse> {
  let { method, url } = request;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await send({ ...request, method }, url);
    const location = redirectOf(response, method);
    if (location === undefined) return response;
    await response.discard();
    if (response.status === 303 && method !== "HEAD") method = "GET";
    url = redirected(url, location);
  }
  throw new RamekinError("UNAVAILABLE", `${request.url.href} redirects more than ${maxRedirects} times`);
}

function redirectOf({ status, headers }: HttpResponse, method: HttpRequest["method"]): string | undefined {
  const repeats = status === 307 || status === 308;
  const reads = (method === "GET" || method === "HEAD") && (status === 301 || status === 302 || status === 303);
  return repeats || reads ? (headers.get("location") ?? undefined) : undefined;
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (!to || !(to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:"))) {
    throw new RamekinError("PERMISSION_DENIED", `${from.host} redirects to ${JSON.stringify(location.slice(0, 200))}`, {
      hint: "only redirects to https are followed, and from plain http also those to http",
    });
  }
  return to;
}

/** All of a body that is meant to be small. */
export async function readAll(body: ByteStream, limit: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) throw new RamekinError("RESOURCE_EXHAUSTED", `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
