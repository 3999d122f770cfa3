import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { Transient } from "./retry.ts";

/** One HTTP request. Redirects are followed, credentials are not sent along with them. */
export interface HttpRequest extends Cancellable {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` and to no other (CVE-2020-15157). */
  readonly authorization?: string | undefined;
  /** Called again for a redirect that repeats the method. */
  readonly body?: (() => { readonly size: number; readonly bytes: ByteStream }) | undefined;
  /** Longest silence, in milliseconds: until the headers, then between two chunks. */
  readonly idle: number;
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
/** What a later try does not change: bad names, nobody listening, certificates, and a protocol that is not TLS. */
const permanent =
  /^(?:ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EPROTO|EACCES|ERR_SSL_.*|ERR_TLS_.*|CERT_.*|.*_CERT.*|UNABLE_TO_.*|UND_ERR_REQ_CONTENT_LENGTH_MISMATCH|UND_ERR_INVALID_ARG)$/;
const certificate = /^(?:ERR_TLS_CERT_.*|CERT_.*|.*_CERT.*|UNABLE_TO_.*)$/;

export async function exchange(request: HttpRequest): Promise<HttpResponse> {
  let { method, url } = request;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await once({ ...request, method }, url);
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

async function once(request: HttpRequest, url: URL): Promise<HttpResponse> {
  const { signal, body } = request;
  const line = openLine(request, url);
  const sent = body?.();
  try {
    const response = await fetch(url, {
      method: request.method,
      redirect: "manual",
      signal: line.signal,
      headers: {
        // A registry's bytes are content-addressed: never let one encode them once more on the way.
        "accept-encoding": "identity",
        "user-agent": "ramekin/0.1",
        ...request.headers,
        ...(request.authorization !== undefined && url.origin === request.url.origin && { authorization: request.authorization }),
        ...(sent && { "content-length": `${sent.size}` }),
      },
      ...(sent && { body: ReadableStream.from(line.watch(sent.bytes, "upload")), duplex: "half" }),
    });
    line.quiet();
    return {
      status: response.status,
      headers: response.headers,
      url,
      body: line.watch(response.body ?? [], "download"),
      async discard() {
        line.close();
        await response.body?.cancel().catch(() => undefined);
      },
    };
  } catch (error) {
    line.close();
    throw failure(error, url, line.cause(), signal);
  }
}

/** The life of one connection: it ends with the caller's signal, or after too long a silence. */
function openLine({ signal, idle }: HttpRequest, url: URL) {
  const end = new AbortController();
  const cancel = () => end.abort();
  let timer: NodeJS.Timeout | undefined;
  let timedOut = false;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timedOut = true;
      end.abort();
    }, idle);
  };
  const quiet = () => clearTimeout(timer);
  const close = () => {
    quiet();
    signal?.removeEventListener("abort", cancel);
  };
  const cause = () => (timedOut ? new RamekinError("TIMEOUT", `${url.host} has been silent for ${idle / 1000} s`) : undefined);

  if (signal?.aborted) end.abort();
  signal?.addEventListener("abort", cancel, { once: true });
  listen();

  /** The clock runs while the other side has to do something, and stands still while our side does. */
  async function* watch(bytes: ByteStream | Iterable<Uint8Array>, direction: "upload" | "download"): ByteStream {
    const [theirs, ours] = direction === "upload" ? [quiet, listen] : [listen, quiet];
    try {
      theirs();
      for await (const chunk of bytes) {
        ours();
        yield chunk;
        theirs();
      }
      ours();
    } catch (error) {
      if (direction === "upload") throw error;
      throw failure(error, url, cause(), signal);
    } finally {
      if (direction === "download") close();
    }
  }
  return { signal: end.signal, watch, quiet, close, cause };
}

function failure(error: unknown, url: URL, timeout: RamekinError | undefined, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return new RamekinError("CANCELLED", `the request to ${url.host} was cancelled`, { cause: signal.reason });
  if (timeout) return new Transient(timeout);
  if (error instanceof RamekinError || error instanceof Transient) return error;
  const { code, message } = systemError(error);
  if (error instanceof Error && error.cause instanceof RamekinError) return error.cause;
  const unavailable = new RamekinError("UNAVAILABLE", `cannot reach ${url.host}: ${message}`, { cause: error, ...hintFor(code, url) });
  return permanent.test(code) || message === "bad port" ? unavailable : new Transient(unavailable);
}

/** `fetch failed` hides what happened in its cause, and several addresses hide it in an AggregateError below. */
function systemError(error: unknown): { code: string; message: string } {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError) inner = inner.errors[0] ?? inner;
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  const message = inner instanceof Error ? inner.message : String(inner);
  return { code, message: code.startsWith("ERR_SSL_") ? "it does not speak TLS" : message.trim() };
}

function hintFor(code: string, url: URL): { hint?: string } {
  if (code === "ENOTFOUND") return { hint: "check the registry's name and this machine's name server" };
  if (code === "ECONNREFUSED") return { hint: `is a registry running at ${url.host}?` };
  if (certificate.test(code)) return { hint: "if the registry has a certificate authority of its own, name it in NODE_EXTRA_CA_CERTS" };
  if (code.startsWith("ERR_SSL_")) return { hint: "plain http is spoken to registries on this machine only" };
  return {};
}

/** Whether the other side is there and speaks TLS, though we do not trust it. */
export function isCertificateError(error: unknown): boolean {
  return certificate.test(systemError(error instanceof Transient ? error.error : error).code);
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
